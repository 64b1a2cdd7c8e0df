package scan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"sluice/classify/decode"
)

// Limits of what a single expression may cost.
const (
	// MaxCost is the time that scanning takes for an expression alone, on what suits it worst: the
	// processor time of one byte. 8 ns are 1 Gbit/s a core; ordinary expressions take less
	// than 0.5 ns.
	MaxCost = 8 * time.Nanosecond
	// MaxCompiled is the size of an expression's compiled form, in bytes.
	MaxCompiled = 256 << 10
)

// Check says why an expression cannot be used in a context, or nil. It takes a millisecond for an
// ordinary expression, and up to some seconds for one that is refused for what it costs.
func Check(text string, c decode.Context) error {
	e := expression{regexp: text, caseless: caseless(c)}
	if err, known := verdicts.get(e); known {
		return err
	}
	err := check(e)
	verdicts.put(e, err)
	return err
}

func check(e expression) error {
	if err := checkSyntax(e.regexp); err != nil {
		return err
	}
	info, err := e.pattern(0).Info()
	switch {
	case err != nil:
		return explain(err)
	case info.MinWidth == 0:
		return errEmpty
	}
	compiled, err := compile([]expression{e})
	switch {
	case err != nil:
		return explain(err)
	case len(compiled) > MaxCompiled:
		return fmt.Errorf("the expression is too expensive: compiled, it takes %d KB, at most %d are allowed", len(compiled)>>10, MaxCompiled>>10)
	}
	cost, err := measure(e, compiled)
	switch {
	case err != nil:
		return err
	case cost > float64(MaxCost):
		return fmt.Errorf("the expression is too expensive: scanning takes up to %.1f ns a byte, at most %d are allowed", cost, MaxCost)
	}
	return nil
}

// measure returns how many nanoseconds a byte scanning takes where it takes longest.
func measure(e expression, compiled []byte) (cost float64, err error) {
	n, err := load(compiled, []expression{e})
	if err != nil {
		return 0, err
	}
	defer n.free()
	s, err := newScanner([]native{n})
	if err != nil {
		return 0, err
	}
	defer s.free()
	for _, text := range hardTexts(e.regexp) {
		took := s.time(n, text, 3)
		if perByte(took, text) > float64(MaxCost)/2 {
			took = min(took, s.time(n, text, 10))
		}
		cost = max(cost, perByte(took, text))
	}
	return cost, nil
}

func perByte(d time.Duration, text []byte) float64 { return float64(d) / float64(len(text)) }

// hardTexts are what an expression is tried on: its own characters in all sorts of order, and what
// a network carries.
func hardTexts(regexp string) [][]byte {
	const size, runs = 4 << 10, 6
	fill := func(s string) []byte { return []byte(strings.Repeat(s, size/len(s)+1)[:size]) }
	noise := make([]byte, size)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	own := make([]byte, size)
	for i := range own {
		own[i] = regexp[random.IntN(len(regexp))]
	}
	texts := [][]byte{
		noise, own, fill(regexp), fill("\x00"), fill("a"), fill("aB1 "),
		fill("GET /index.html?a=1&b=2 HTTP/1.1\r\nHost: www.example.com\r\n"),
	}
	seen := ""
	for i := 0; i < len(regexp) && len(seen) < runs; i++ {
		letter := regexp[i : i+1]
		if !strings.Contains(seen, letter) && !strings.Contains(`\^$.|?*+()[]{}`, letter) {
			seen += letter
			texts = append(texts, fill(letter))
		}
	}
	return texts
}

// verdicts remembers what Check said, as every commit asks about all expressions again, and the
// answer should not depend on how the processor is at that moment.
var verdicts = memory{answers: map[expression]error{}}

type memory struct {
	sync.Mutex
	answers map[expression]error
}

// maxVerdicts bounds the memory; when it is full, everything is forgotten.
const maxVerdicts = 4096

func (m *memory) get(e expression) (err error, known bool) {
	m.Lock()
	defer m.Unlock()
	err, known = m.answers[e]
	return err, known
}

func (m *memory) put(e expression, err error) {
	m.Lock()
	defer m.Unlock()
	if len(m.answers) >= maxVerdicts {
		clear(m.answers)
	}
	m.answers[e] = err
}
