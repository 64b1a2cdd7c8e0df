package manage

import (
	"sluice/manage/api"
	"sluice/manage/view"
)

// Captures are the captures of unknown applications.
type Captures interface {
	Counters() CaptureCounters
	ClearCounters()
	Clear() error
}

// CaptureCounters count captures since they were cleared.
type CaptureCounters struct {
	SessionsCaptured, PacketsCaptured           uint64
	Active                                      uint64 // sessions
	SessionsWithoutMemory, PacketsWithoutMemory uint64
	StorageLimit                                uint64 // packets
	SessionsBeyondBuffer, PacketsBeyondBuffer   uint64
	InconclusiveCaptured, InconclusiveIgnored   uint64
	CacheTimedOut                               uint64 // servers that may be captured again
}

// captures are the captures, or an error when the gateway runs without.
func (s *Server) captures() (Captures, error) {
	if s.options.Captures == nil {
		return nil, &api.Error{Message: "the gateway captures nothing"}
	}
	return s.options.Captures, nil
}

// showCaptureCounters shows the counters under the names and in the order of the guide.
func showCaptureCounters(s *Server, _ *request) (view.View, error) {
	captures, err := s.captures()
	if err != nil {
		return nil, err
	}
	c := captures.Counters()
	return &view.AppIDCounters{Counters: []view.Counter{
		{Name: "Total sessions captured", Value: c.SessionsCaptured},
		{Name: "Total packets captured", Value: c.PacketsCaptured},
		{Name: "Active sessions being captured", Value: c.Active},
		{Name: "Sessions ignored because of memory allocation failures", Value: c.SessionsWithoutMemory},
		{Name: "Packets ignored because of memory allocation failures", Value: c.PacketsWithoutMemory},
		{Name: "Ipc messages ignored because of storage limit", Value: c.StorageLimit},
		{Name: "Sessions ignored because of buffer-packets limit", Value: c.SessionsBeyondBuffer},
		{Name: "Packets ignored because of buffer-packets limit", Value: c.PacketsBeyondBuffer},
		{Name: "Inconclusive sessions captured", Value: c.InconclusiveCaptured},
		{Name: "Inconclusive sessions ignored", Value: c.InconclusiveIgnored},
		{Name: "Cache entries timed out", Value: c.CacheTimedOut},
	}}, nil
}

func clearCaptureCounters(s *Server, _ *request) (view.View, error) {
	captures, err := s.captures()
	if err != nil {
		return nil, err
	}
	captures.ClearCounters()
	return &view.Message{Message: "The counters of captures are zero"}, nil
}

// clearCaptures removes all capture files.
func clearCaptures(s *Server, _ *request) (view.View, error) {
	captures, err := s.captures()
	if err != nil {
		return nil, err
	}
	if err := captures.Clear(); err != nil {
		return nil, err
	}
	return &view.Message{Message: "All captures are removed"}, nil
}
