package shell

import (
	"fmt"
	"io"
	"strings"
)

// pager shows a text a screen at a time.
type pager struct {
	out    io.Writer
	key    func() (byte, error)
	height func() int // lines of the screen
}

// clear takes the pager's prompt away.
const clear = "\r\x1b[K"

// show writes text, stopping at every screen. Space goes on by a screen, Enter by a line, G to the
// end, and q ends.
func (p *pager) show(text string) error {
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	room := p.height() - 1
	for i := 0; i < len(lines); {
		if room <= 0 {
			by, err := p.wait(i * 100 / len(lines))
			if err != nil || by == 0 {
				return err
			}
			room = by
		}
		if _, err := fmt.Fprint(p.out, lines[i]); err != nil {
			return err
		}
		i++
		room--
	}
	return nil
}

// wait asks how many lines are to follow; 0 ends the output.
func (p *pager) wait(percent int) (lines int, err error) {
	fmt.Fprintf(p.out, "---(more %d%%)---", percent)
	defer fmt.Fprint(p.out, clear)
	for {
		key, err := p.key()
		if err != nil {
			return 0, err
		}
		switch key {
		case ' ', 'f':
			return max(1, p.height()-1), nil
		case '\r', '\n', 'j':
			return 1, nil
		case 'G':
			return 1 << 30, nil
		case 'q', 'Q', ctrlC:
			return 0, nil
		}
	}
}
