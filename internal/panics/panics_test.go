package panics

import (
	"errors"
	"strings"
	"testing"
)

func culprit() { panic("the reason") }

// A panic that is handed on twice still tells where it came from.
func TestCatch(t *testing.T) {
	var first, second *Panic
	func() {
		defer Catch(func(p *Panic) { first = p })
		culprit()
	}()
	func() {
		defer Catch(func(p *Panic) { second = p })
		panic(first)
	}()
	if second != first || !strings.Contains(string(second.Stack), "culprit") {
		t.Errorf("handed on: %v, with the stack\n%s", second, second.Stack)
	}
	var err error = first
	if p := (*Panic)(nil); !errors.As(err, &p) || err.Error() != "panic: the reason" {
		t.Errorf("as an error: %v", err)
	}
	func() {
		defer Catch(func(p *Panic) { t.Errorf("caught %v where nothing panics", p) })
	}()
}
