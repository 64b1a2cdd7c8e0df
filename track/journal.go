package track

import (
	"context"
	"errors"
	"strconv"

	"github.com/coreos/go-systemd/v22/journal"
)

// journalWriter writes messages to the systemd journal with the fields people filter by.
type journalWriter struct {
	format Format
	ready  bool
}

func (w *journalWriter) open(context.Context) (fresh bool, err error) {
	before := w.ready
	if w.ready = journal.Enabled(); !w.ready {
		return false, errors.New("the systemd journal does not run here")
	}
	return !before, nil
}

func (w *journalWriter) write(_ context.Context, batch []*record) (sent, lost int, err error) {
	for i, r := range batch {
		err := journal.Send(string(r.message[w.format]), journal.Priority(r.severity()), map[string]string{
			"SYSLOG_IDENTIFIER":          "RT_FLOW",
			"SLUICE_TAG":                 r.tag.String(),
			"SLUICE_SESSION":             strconv.FormatUint(r.ID, 10),
			"SLUICE_POLICY":              r.Policy,
			"SLUICE_SOURCE_ADDRESS":      r.Source.Addr().String(),
			"SLUICE_DESTINATION_ADDRESS": r.Destination.Addr().String(),
		})
		if err != nil {
			return i, 0, err
		}
	}
	return len(batch), 0, nil
}

func (w *journalWriter) broken() <-chan struct{} { return nil }

func (w *journalWriter) close() {}
