package shell

import (
	"context"
	"io"
	"sync"
)

// Keys that mean something outside of a line.
const (
	ctrlC = 0x03
	ctrlD = 0x04
	ctrlE = 0x05
	ctrlU = 0x15
)

// keyboard reads a terminal in raw mode for three readers that take turns: the line editor, the
// pager, and a running command that waits for Ctrl-C. What is typed ahead stays for the next one.
type keyboard struct {
	typed chan []byte
	mu    sync.Mutex
	ahead []byte // typed, not read yet
	err   error  // why typed was closed
}

// newKeyboard starts reading in; the reader ends with in.
func newKeyboard(in io.Reader) *keyboard {
	k := &keyboard{typed: make(chan []byte)}
	go func() {
		for {
			buffer := make([]byte, 256)
			n, err := in.Read(buffer)
			if n > 0 {
				k.typed <- buffer[:n]
			}
			if err != nil {
				k.mu.Lock()
				k.err = err
				k.mu.Unlock()
				close(k.typed)
				return
			}
		}
	}()
	return k
}

// take moves what is typed into ahead when there is nothing; it fails when input has ended.
func (k *keyboard) take() error {
	k.mu.Lock()
	empty := len(k.ahead) == 0
	k.mu.Unlock()
	if !empty {
		return nil
	}
	keys, ok := <-k.typed
	k.mu.Lock()
	defer k.mu.Unlock()
	if !ok {
		return k.err
	}
	k.ahead = append(k.ahead, keys...)
	return nil
}

// Read gives the line editor what is typed. Ctrl-C clears the line: to the editor it is "go to the
// end, delete to the start, Enter", because its own answer to Ctrl-C is to end.
func (k *keyboard) Read(p []byte) (int, error) {
	if err := k.take(); err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ahead[0] == ctrlC {
		k.ahead = append([]byte{ctrlE, ctrlU, '\r'}, k.ahead[1:]...)
	}
	n := 0
	for n < len(p) && n < len(k.ahead) && k.ahead[n] != ctrlC {
		p[n] = k.ahead[n]
		n++
	}
	k.ahead = k.ahead[n:]
	return n, nil
}

// key is the next key, for the pager.
func (k *keyboard) key() (byte, error) {
	if err := k.take(); err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key := k.ahead[0]
	k.ahead = k.ahead[1:]
	return key, nil
}

// interruptible returns a context that ends with Ctrl-C. stop must be called before anything else
// reads the keyboard.
func (k *keyboard) interruptible(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	quit := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case keys, ok := <-k.typed:
				if !ok {
					cancel()
					return
				}
				k.mu.Lock()
				for _, key := range keys {
					if key == ctrlC {
						cancel()
						k.ahead = nil
						continue
					}
					k.ahead = append(k.ahead, key)
				}
				k.mu.Unlock()
			}
		}
	}()
	var once sync.Once
	return ctx, func() {
		once.Do(func() {
			close(quit)
			<-done
			cancel()
		})
	}
}
