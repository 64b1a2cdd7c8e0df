package track

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// fileWriter appends messages to a file, a line each. A file that would grow beyond its size is
// renamed to NAME.0, older ones to NAME.1 and so on, and the oldest is removed. A file that
// somebody else moved or removed is made anew.
type fileWriter struct {
	path     string
	maxBytes int64
	files    int // kept, the current one included

	file *os.File
	size int64
}

func (w *fileWriter) open(context.Context) (fresh bool, err error) {
	if w.file != nil && !w.moved() {
		return false, nil
	}
	w.close()
	file, err := os.OpenFile(w.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return false, fmt.Errorf("log file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return false, fmt.Errorf("log file: %w", err)
	}
	w.file, w.size = file, info.Size()
	return true, nil
}

// moved says whether the path no longer leads to the open file.
func (w *fileWriter) moved() bool {
	there, err := os.Stat(w.path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	here, err := w.file.Stat()
	return err != nil || !os.SameFile(here, there)
}

func (w *fileWriter) write(_ context.Context, b *batch) (sent, lost int, err error) {
	for next := b.done; next < len(b.items); next = b.done + sent {
		from, fits := b.start(next), w.fits(b, next)
		if fits == 0 {
			if err := w.rotate(); err != nil {
				return sent, 0, fmt.Errorf("log file: %w", err)
			}
			continue
		}
		n, err := w.file.Write(b.data[from:b.items[next+fits-1].end])
		whole := 0
		for _, line := range b.items[next : next+fits] {
			if line.end-from <= n {
				sent, whole = sent+1, line.end-from
			}
		}
		w.size += int64(whole)
		if err != nil {
			// A torn line is taken back, so that the next attempt starts on a line of its own.
			if n > whole {
				err = errors.Join(err, w.file.Truncate(w.size))
			}
			return sent, 0, fmt.Errorf("log file: %w", err)
		}
	}
	return sent, 0, nil
}

// fits is how many lines of b from the item next on the file still takes; an empty file takes at least
// one.
func (w *fileWriter) fits(b *batch, next int) (lines int) {
	from := b.start(next)
	for _, line := range b.items[next:] {
		if w.size+int64(line.end-from) > w.maxBytes && (w.size > 0 || lines > 0) {
			return lines
		}
		lines++
	}
	return lines
}

// rotate moves every file one number up and starts a new one.
func (w *fileWriter) rotate() error {
	archive := func(n int) string { return w.path + "." + strconv.Itoa(n) }
	for n := w.files - 3; n >= 0; n-- {
		if err := os.Rename(archive(n), archive(n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(w.path, archive(0)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w.close()
	_, err := w.open(context.Background())
	return err
}

func (w *fileWriter) broken() <-chan struct{} { return nil }

func (w *fileWriter) close() {
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
}
