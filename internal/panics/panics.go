// Package panics hands a panic from the goroutine that it ends to one that waits for it, so that it costs
// one session rather than the gateway.
package panics

import (
	"fmt"
	"runtime/debug"
)

// Panic is what a goroutine panicked with. It may be panicked with again.
type Panic struct {
	Value any
	Stack []byte // of the goroutine, as it panicked
}

// Error tells the value.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Of is what recover has returned: with the stack that it was first seen with, or that of the caller, who is
// a deferred function.
func Of(recovered any) *Panic {
	if p, ok := recovered.(*Panic); ok {
		return p
	}
	return &Panic{recovered, debug.Stack()}
}

// Catch is to be deferred itself. It ends a panic of its goroutine and hands it to note.
func Catch(note func(*Panic)) {
	if r := recover(); r != nil {
		note(Of(r))
	}
}
