package manage

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/store/schema"
	"sluice/track"
)

// Logs is what happened, as [track.Tracker] knows it.
type Logs interface {
	Counters() track.Counters
	ClearCounters()
	History(track.Query) ([]track.Entry, error)
	Outlets() []track.Outlet
	Alarms() []track.Alarm
}

func (s *Server) logs() (Logs, error) {
	if s.options.Logs == nil {
		return nil, &api.Error{Message: "the gateway keeps no logs"}
	}
	return s.options.Logs, nil
}

// logAlarms are the alarms of the security log.
func (s *Server) logAlarms() []view.Alarm {
	if s.options.Logs == nil {
		return nil
	}
	var list []view.Alarm
	for _, a := range s.options.Logs.Alarms() {
		list = append(list, view.Alarm{Since: a.Since, Class: a.Class, Text: a.Text})
	}
	return list
}

func showTrackCounters(s *Server, _ *request) (view.View, error) {
	logs, err := s.logs()
	if err != nil {
		return nil, err
	}
	c := logs.Counters()
	return &view.TrackCounters{Create: c.Create, Close: c.Close, VolumeUpdate: c.Volume, RouteUpdate: c.Route, Failed: c.Failed}, nil
}

func clearTrackCounters(s *Server, _ *request) (view.View, error) {
	logs, err := s.logs()
	if err != nil {
		return nil, err
	}
	logs.ClearCounters()
	return &view.Message{Message: "Application tracking counters cleared"}, nil
}

func showLogStreams(s *Server, _ *request) (view.View, error) {
	logs, err := s.logs()
	if err != nil {
		return nil, err
	}
	answer := &view.LogStreams{Streams: []view.LogStream{}}
	for _, o := range logs.Outlets() {
		answer.Streams = append(answer.Streams, view.LogStream{Name: o.Name, Target: o.Target, State: string(o.State), Sent: o.Sent,
			Dropped: o.Dropped, Queued: o.Queued, Error: o.Error, Since: o.Since})
	}
	return answer, nil
}

// logMessages are the names of all messages.
func logMessages() []string {
	var names []string
	for _, tag := range track.Tags() {
		names = append(names, tag.String())
	}
	return names
}

func showSecurityLog(s *Server, r *request) (view.View, error) {
	logs, err := s.logs()
	if err != nil {
		return nil, err
	}
	q := track.Query{
		Session: r.number("session-identifier"), Source: host(r.address("source-address")), Destination: host(r.address("destination-address")),
		DestinationPort: uint16(r.number("destination-port")), Policy: r.args["policy"], Limit: int(r.number("limit")),
	}
	if name := r.args["message"]; name != "" {
		var tag track.Tag
		if err := tag.UnmarshalText([]byte(strings.ToUpper(name))); err != nil {
			return nil, &api.Error{Message: err.Error(), Hint: schema.DidYouMean(name, logMessages())}
		}
		q.Tags = []track.Tag{tag}
	}
	for name, to := range map[string]*time.Time{"since": &q.From, "until": &q.To} {
		if r.args.Has(name) {
			*to, _ = parseTime(r.args[name], s.options.Now()) // checked by timeValue
		}
	}
	entries, err := logs.History(q)
	if err != nil {
		return nil, err
	}
	slices.Reverse(entries)
	answer := &view.LogEntries{Entries: make([]view.LogEntry, len(entries))}
	for i := range entries {
		e := &entries[i]
		answer.Entries[i] = view.LogEntry{Time: e.Time, Message: e.Tag.String(), Fields: e.Fields(), Text: e.Text()}
	}
	return answer, nil
}

// host is the prefix of one address, or the zero prefix.
func host(a netip.Addr) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, a.BitLen())
}

// maxLogText is how much of the end of a log file is shown, in bytes.
const maxLogText = 4 << 20

// logFiles are the names of the files in the log directory.
func (s *Server) logFiles() []string {
	if s.options.LogDir == "" {
		return nil
	}
	entries, err := os.ReadDir(s.options.LogDir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

// logPath is the path of the log file called name, which must be one of the directory.
func (s *Server) logPath(name string) (string, error) {
	names := s.logFiles()
	if !slices.Contains(names, name) {
		return "", &api.Error{Message: fmt.Sprintf("there is no log file %q", name), Hint: schema.DidYouMean(name, names)}
	}
	return filepath.Join(s.options.LogDir, name), nil
}

func showLog(s *Server, r *request) (view.View, error) {
	name := r.args["filename"]
	if name == "" {
		return &view.Text{Body: strings.Join(s.logFiles(), "\n")}, nil
	}
	path, err := s.logPath(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > maxLogText {
		if _, err := f.Seek(-maxLogText, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxLogText))
	return &view.Text{Body: string(text)}, err
}

func clearLog(s *Server, r *request) (view.View, error) {
	name := r.args["filename"]
	if name == "" {
		return nil, &api.Error{Message: "the name of a log file is missing", Hint: "show log lists them"}
	}
	path, err := s.logPath(name)
	if err != nil {
		return nil, err
	}
	if err := os.Truncate(path, 0); err != nil {
		return nil, fmt.Errorf("log file not emptied: %w", err)
	}
	return &view.Message{Message: name + " is empty now"}, nil
}
