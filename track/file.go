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
	format   Format
	maxBytes int64
	files    int // kept, the current one included

	file *os.File
	size int64
	buf  []byte
	ends []int // where each line of buf ends
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

func (w *fileWriter) write(_ context.Context, batch []*record) (sent, lost int, err error) {
	for sent < len(batch) {
		w.fill(batch[sent:])
		if len(w.ends) == 0 {
			if err := w.rotate(); err != nil {
				return sent, 0, fmt.Errorf("log file: %w", err)
			}
			continue
		}
		n, err := w.file.Write(w.buf)
		whole := 0
		for _, end := range w.ends {
			if end <= n {
				sent, whole = sent+1, end
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

// fill makes lines of the first records of batch, as many as the file still takes; an empty file
// takes at least one.
func (w *fileWriter) fill(batch []*record) {
	w.buf, w.ends = w.buf[:0], w.ends[:0]
	for _, r := range batch {
		message := r.message[w.format]
		size := w.size + int64(len(w.buf)+len(message)+1)
		if size > w.maxBytes && w.size+int64(len(w.buf)) > 0 {
			return
		}
		w.buf = append(append(w.buf, message...), '\n')
		w.ends = append(w.ends, len(w.buf))
	}
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
