package install

import (
	"fmt"
	"time"
)

// Operation is something that is done with packages.
type Operation uint8

// The operations.
const (
	Download Operation = iota + 1
	Offline
	Install
	Uninstall
	Rollback

	operations = iota + 1
)

var operationNames = [operations]string{"", "download", "offline-download", "install", "uninstall", "rollback"}

// String is the word of the command.
func (o Operation) String() string { return operationNames[o] }

// State is how far an operation is.
type State uint8

// The states.
const (
	Idle      State = iota // it was never done
	Running                // it is under way
	Succeeded              // it ended well
	Failed                 // it ended otherwise
)

var stateNames = [...]string{"idle", "running", "succeeded", "failed"}

// String is the state in one word.
func (s State) String() string { return stateNames[s] }

// MarshalText writes the state's word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's word.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not a state", text)
}

// Status is how an operation is doing, or how it ended the last time. It outlives the process.
type Status struct {
	State State `json:"state"`
	// Version the operation is about; 0 where that is not known.
	Version int `json:"version,omitempty"`
	// Text is what the status command prints. It may have several lines.
	Text string `json:"text"`
	// At is when the state was reached.
	At time.Time `json:"at"`
}

// What commands print when they have started an operation.
const (
	downloadStarted = `Please use command "request services application-identification download status" to check status`
	installStarted  = `Please use command "request services application-identification install status" to check status` +
		` and use command "request services application-identification proto-bundle-status" to check protocol bundle status`
	uninstallStarted = `Please use command "request services application-identification uninstall status" to check status` +
		` and use command "request services application-identification proto-bundle-status" to check protocol bundle status`
	rollbackStarted = `Please use command "request services application-identification rollback status" to check rollback status`
	offlineStarted  = `Please use command "request services application-identification offline-download status" to check offline download status`
)

// What status commands print of an operation that was never done.
var neverDone = [operations]string{
	Download:  "No application package has been downloaded",
	Offline:   "No AppID sigpack offline download has been done",
	Install:   "No application package has been installed",
	Uninstall: "No application package has been uninstalled",
	Rollback:  "No application package has been rolled back",
}

// Status is how an operation is doing.
func (m *Manager) Status(op Operation) Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.results[op]; s.State == Running {
		return s
	}
	if s, ok := m.journal.read().Results[op.String()]; ok {
		return s
	}
	return Status{Text: neverDone[op]}
}

// set tells how an operation that runs is doing; m.mu is held.
func (m *Manager) set(op Operation, s Status) {
	s.At = time.Now()
	m.results[op] = s
}

// progress tells how an operation that runs is doing.
func (m *Manager) progress(op Operation, version int, format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(op, running(version, format, args...))
}

// notice is an error whose words are given, and are printed as they are.
type notice string

func (n notice) Error() string { return string(n) }

func running(version int, format string, args ...any) Status {
	return Status{State: Running, Version: version, Text: fmt.Sprintf(format, args...)}
}

func succeeded(version int, format string, args ...any) Status {
	return Status{State: Succeeded, Version: version, Text: fmt.Sprintf(format, args...)}
}

func failed(version int, format string, args ...any) Status {
	return Status{State: Failed, Version: version, Text: fmt.Sprintf(format, args...)}
}

// end stores the last status of an operation, together with what else it has changed, and writes
// the message about it. When it fails nothing has changed, and the operation has not ended.
func (m *Manager) end(op Operation, s Status, change func(*record)) error {
	s.At = time.Now()
	err := m.journal.write(op.String(), func(r *record) {
		change(r)
		r.Underway = nil
		r.result(op, s)
	})
	if err != nil {
		return err
	}
	m.forget(op)
	m.logResult(op, s)
	return nil
}

// fail stores that an operation has failed, together with what follows from it. Where the disk does
// not take it, it is known as long as the process lives.
func (m *Manager) fail(op Operation, s Status, change func(*record)) {
	if err := m.end(op, s, change); err != nil {
		m.opt.Logger.Error("result of an operation on signature packages is not stored", "operation", op, "result", s.Text, "error", err)
		s.At = time.Now()
		m.journal.hold(op, s)
		m.forget(op)
		m.logResult(op, s)
	}
}

// forget ends the status of an operation that ran; what the journal says of it counts.
func (m *Manager) forget(op Operation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.results[op] = Status{}
}

func nothing(*record) {}
