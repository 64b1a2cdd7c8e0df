package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// complaintEvery is how often it is said that a file cannot be written.
const complaintEvery = time.Minute

// fileSettings are a trace file as statements have it.
type fileSettings struct {
	path     string
	size     int64 // at which it is rotated, in bytes
	files    int   // kept, the current one included
	readable bool  // by everybody
}

// rotatingFile appends lines to a file. A file that would grow beyond its size is renamed to
// NAME.0, older ones to NAME.1 and so on, and the oldest is removed.
type rotatingFile struct {
	fileSettings
	file      *os.File
	written   int64
	complaint time.Time
}

// append writes one line.
func (f *rotatingFile) append(line string) error {
	if err := f.open(); err != nil {
		return err
	}
	if length := int64(len(line) + 1); f.written > 0 && f.written+length > f.size {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	n, err := f.file.WriteString(line + "\n")
	f.written += int64(n)
	if err != nil {
		f.close()
		return fmt.Errorf("trace file: %w", err)
	}
	return nil
}

// open opens the file, anew when somebody moved or removed it.
func (f *rotatingFile) open() error {
	if f.file != nil && !f.moved() {
		return nil
	}
	f.close()
	mode := fs.FileMode(0o640)
	if f.readable {
		mode = 0o644
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, mode)
	if err != nil {
		return fmt.Errorf("trace file: %w", err)
	}
	info, err := file.Stat()
	if err == nil {
		err = file.Chmod(mode)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("trace file: %w", err)
	}
	f.file, f.written = file, info.Size()
	return nil
}

func (f *rotatingFile) moved() bool {
	there, err := os.Stat(f.path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	here, err := f.file.Stat()
	return err != nil || !os.SameFile(here, there)
}

// rotate moves every file one number up and starts a new one.
func (f *rotatingFile) rotate() error {
	archive := func(n int) string { return f.path + "." + strconv.Itoa(n) }
	for n := f.files - 3; n >= 0; n-- {
		if err := os.Rename(archive(n), archive(n+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("trace file: %w", err)
		}
	}
	if err := os.Rename(f.path, archive(0)); err != nil {
		return fmt.Errorf("trace file: %w", err)
	}
	f.close()
	return f.open()
}

func (f *rotatingFile) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

// complain says whether it is time to say again that the file cannot be written.
func (f *rotatingFile) complain() bool {
	if time.Since(f.complaint) < complaintEvery {
		return false
	}
	f.complaint = time.Now()
	return true
}
