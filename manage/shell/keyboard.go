package shell

import (
	"bytes"
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
	// endKey stands for Ctrl-D on its way through the line editor, which would never forget a Ctrl-D.
	endKey = 0x1c
)

// keyboard reads a terminal in raw mode for readers that take turns: the line editor, the pager,
// and a running command that waits for Ctrl-C only. What is typed ahead stays for the next one.
type keyboard struct {
	mu     sync.Mutex
	typed  *sync.Cond // ahead or err has changed
	ahead  []byte     // typed, not read yet
	err    error      // why nothing more will come
	end    bool       // the next Read says that input has ended, once
	cancel func()     // ends what runs, at Ctrl-C; nil while nothing does
}

// newKeyboard starts reading in; the reader ends with in.
func newKeyboard(in io.Reader) *keyboard {
	k := &keyboard{}
	k.typed = sync.NewCond(&k.mu)
	go func() {
		buffer := make([]byte, 256)
		for {
			n, err := in.Read(buffer)
			k.put(buffer[:n], err)
			if err != nil {
				return
			}
		}
	}()
	return k
}

// put takes what was typed.
func (k *keyboard) put(keys []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ahead = append(k.ahead, keys...)
	if i := bytes.LastIndexByte(k.ahead, ctrlC); i >= 0 && k.cancel != nil {
		k.ahead = k.ahead[i+1:]
		k.cancel()
	}
	if k.err = err; err != nil && k.cancel != nil {
		k.cancel()
	}
	k.typed.Broadcast()
}

// take waits until something is typed; it fails when nothing more will come. k.mu is held.
func (k *keyboard) take() error {
	for len(k.ahead) == 0 && k.err == nil {
		k.typed.Wait()
	}
	if len(k.ahead) == 0 {
		return k.err
	}
	return nil
}

// Read gives the line editor what is typed. Ctrl-C clears the line: to the editor it is "go to the
// end, delete to the start, Enter", because its own answer to Ctrl-C is to end.
func (k *keyboard) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end {
		k.end = false
		return 0, io.EOF
	}
	if err := k.take(); err != nil {
		return 0, err
	}
	if k.ahead[0] == ctrlC {
		k.ahead = append([]byte{ctrlE, ctrlU, '\r'}, k.ahead[1:]...)
	}
	n := 0
	for n < len(p) && n < len(k.ahead) && k.ahead[n] != ctrlC {
		if p[n] = k.ahead[n]; p[n] == ctrlD {
			p[n] = endKey
		}
		n++
	}
	k.ahead = k.ahead[n:]
	return n, nil
}

// endLine lets the line editor see the end of input, once.
func (k *keyboard) endLine() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.end = true
}

// gone says whether the terminal has ended, rather than somebody pressed Ctrl-D.
func (k *keyboard) gone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err != nil && len(k.ahead) == 0
}

// key is the next key, for the pager.
func (k *keyboard) key() (byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.take(); err != nil {
		return 0, err
	}
	key := k.ahead[0]
	k.ahead = k.ahead[1:]
	return key, nil
}

// interruptible returns a context that ends with Ctrl-C, until stop is called.
func (k *keyboard) interruptible(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	before := k.onInterrupt(cancel)
	return ctx, func() {
		k.onInterrupt(before)
		cancel()
	}
}

// onInterrupt makes Ctrl-C call cancel, or be a key like others when that is nil, and returns what
// it did before.
func (k *keyboard) onInterrupt(cancel func()) (before func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, k.cancel = k.cancel, cancel
	return before
}
