package track

import (
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/mattn/go-sqlite3"

	"sluice/store/schema"
)

// openState opens a state database as the store does.
func openState(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

var equalSessions = cmp.Comparer(func(a, b Session) bool {
	same := a.Start.Equal(b.Start)
	a.Start, b.Start = time.Time{}, time.Time{}
	return same && a == b
})

// fill logs n sessions that differ in every column a query can ask for.
func fill(t *testing.T, tracker *Tracker, n int) {
	t.Helper()
	before := outletNamed(t, tracker, "history").Sent
	for i := range n {
		s := fullSession()
		s.ID = uint64(i)
		s.Source = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(10000+i))
		s.Policy = fmt.Sprintf("p%d", i%3)
		switch i % 4 {
		case 0:
			tracker.FlowCreate(s)
		case 1:
			tracker.FlowClose(s, ReasonClientFIN)
		case 2:
			s.Protocol = 17
			tracker.FlowDeny(s, DenyPolicy)
		default:
			s.Source = netip.MustParseAddrPort("[2001:db8::5]:53")
			s.Destination = netip.MustParseAddrPort("[2001:db8:1::1]:443")
			tracker.FlowCreate(s)
		}
	}
	eventually(t, "the history has all", func() bool { return outletNamed(t, tracker, "history").Sent == before+uint64(n) })
}

// TestHistory asks the history for records in every way.
func TestHistory(t *testing.T) {
	now := testTime
	tracker := newTestTracker(t, Options{State: openState(t, filepath.Join(t.TempDir(), "state.db")),
		Now: func() time.Time { now = now.Add(time.Second); return now }})
	commit(t, tracker, &schema.Config{})
	fill(t, tracker, 40)
	prefix := netip.MustParsePrefix
	tests := []struct {
		name  string
		query Query
		want  []uint64 // session ids, newest first
	}{
		{"limit", Query{Limit: 2}, []uint64{39, 38}},
		{"tags", Query{Tags: []Tag{FlowClose, FlowDeny}, Limit: 3}, []uint64{38, 37, 34}},
		{"session", Query{Session: 7}, []uint64{7}},
		{"source host", Query{Source: prefix("192.0.2.6/32")}, []uint64{6}},
		{"source prefix", Query{Source: prefix("192.0.2.4/30")}, []uint64{6, 5, 4}},
		{"source family", Query{Source: prefix("::/0"), Destination: prefix("2001:db8:1::/48"), Limit: 2}, []uint64{39, 35}},
		{"destination and port", Query{Destination: prefix("2001:db8:1::1/128"), DestinationPort: 443, SourcePort: 53, Limit: 1}, []uint64{39}},
		{"source port", Query{SourcePort: 10010}, []uint64{10}},
		{"protocol and policy", Query{Protocol: 17, Policy: "p2"}, []uint64{38, 26, 14, 2}},
		{"nothing", Query{Policy: "p3"}, nil},
	}
	for _, test := range tests {
		entries, err := tracker.History(test.query)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		var got []uint64
		for _, e := range entries {
			got = append(got, e.Session.ID)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	all, err := tracker.History(Query{})
	if err != nil || len(all) != 40 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	middle, err := tracker.History(Query{From: all[30].Time, To: all[20].Time})
	if err != nil || len(middle) != 11 || middle[0].Session.ID != all[20].Session.ID {
		t.Errorf("between two times: %d records, %v", len(middle), err)
	}
}

// TestHistoryKeepsTheWholeSession gives back what was logged, after a restart too.
func TestHistoryKeepsTheWholeSession(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first := newTestTracker(t, Options{State: openState(t, path), Now: func() time.Time { return testTime }})
	commit(t, first, &schema.Config{})
	first.FlowClose(fullSession(), ReasonServerRST)
	first.FlowDeny(emptySession(), DenyReject)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := newTestTracker(t, Options{State: openState(t, path)})
	entries, err := second.History(Query{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Number: 2, Time: testTime, Tag: FlowDeny, Reason: DenyReject, Session: *emptySession()},
		{Number: 1, Time: testTime, Tag: FlowClose, Reason: string(ReasonServerRST), Session: *fullSession()},
	}
	if diff := cmp.Diff(want, entries, equalSessions); diff != "" {
		t.Error(diff)
	}
}

// TestHistoryLimit removes the oldest records, whole batches of them, and none of the newest.
func TestHistoryLimit(t *testing.T) {
	tracker := newTestTracker(t, Options{State: openState(t, filepath.Join(t.TempDir(), "state.db"))})
	cfg := &schema.Config{}
	cfg.Security.Log.History.MaxRecords = 1000
	commit(t, tracker, cfg)
	const logged = 4000
	fill(t, tracker, logged)
	entries, err := tracker.History(Query{Limit: logged})
	if err != nil || len(entries) < 1000 || len(entries) > 1000+2*batchSize {
		t.Fatalf("%d records are kept (%v)", len(entries), err)
	}
	for i, e := range entries {
		if e.Number != int64(logged-i) {
			t.Fatalf("record %d from the end has number %d", i, e.Number)
		}
	}
}

// TestHistoryFails: a database that is gone is an alarm, and asking says why.
func TestHistoryFails(t *testing.T) {
	db := openState(t, filepath.Join(t.TempDir(), "state.db"))
	db.Close()
	tracker := newTestTracker(t, Options{State: db})
	commit(t, tracker, &schema.Config{})
	tracker.FlowCreate(fullSession())
	eventually(t, "an alarm", func() bool {
		alarms := tracker.Alarms()
		return len(alarms) == 1 && strings.Contains(alarms[0].Text, "history")
	})
	if _, err := tracker.History(Query{}); err == nil {
		t.Error("asking a history that is gone says nothing")
	}
	if _, err := newTestTracker(t, Options{}).History(Query{}); !errors.Is(err, ErrNoHistory) {
		t.Errorf("without a database: %v", err)
	}
}

// encoded is a batch of records of sessions.
func encoded(sessions ...*Session) []byte {
	var c codec
	data := c.begin(nil)
	for i, s := range sessions {
		data = c.encode(data, &Entry{Tag: FlowClose, Time: testTime.Add(-time.Duration(i) * time.Hour), Reason: string(ReasonClientFIN), Session: *s})
	}
	return data
}

// FuzzDecodeBatch: damaged records are errors, and good ones are read as they were written.
func FuzzDecodeBatch(f *testing.F) {
	f.Add(encoded(fullSession(), fullSession(), emptySession()))
	f.Add(encoded(emptySession()))
	f.Add([]byte{codecVersion})
	f.Add(fullBatch)
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := decodeBatch(data, 7)
		if err != nil {
			return
		}
		var c codec
		same := c.begin(nil)
		for i := range entries {
			if entries[i].Number != int64(7+i) {
				t.Errorf("record %d has number %d", i, entries[i].Number)
			}
			same = c.encode(same, &entries[i])
		}
		again, err := decodeBatch(same, 7)
		if err != nil || !cmp.Equal(entries, again, equalSessions) {
			t.Errorf("%v: %s", err, cmp.Diff(entries, again, equalSessions))
		}
	})
}

// TestDecodeCut: a record that is cut does not pass for whole, nor does an unknown version.
func TestDecodeCut(t *testing.T) {
	whole := encoded(fullSession())
	size, n := binary.Uvarint(whole[1:])
	body := whole[1+n:]
	for cut := 1; cut < len(body); cut++ {
		data := append(binary.AppendUvarint([]byte{codecVersion}, size-uint64(cut)), body[:len(body)-cut]...)
		if _, err := decodeBatch(data, 1); err == nil {
			t.Errorf("%d bytes are missing: no error", cut)
		}
	}
	for name, data := range map[string][]byte{"cut inside a batch": whole[:len(whole)-1], "an unknown version": {codecVersion + 1}} {
		if _, err := decodeBatch(data, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// fullBatch is a batch of version 2, of a full, an empty and the full session again.
var fullBatch, _ = base64.StdEncoding.DecodeString("" +
	"ArQDAoCbifPLjdrgKgEOVENQIENMSUVOVCBGSU6ZSwTAAAIKwJACBMYzZAJQBMsAcQGRTgTGM2QDkD8GCAPbApeOAYQD2IYIpw+jmASAwNG2hd" +
	"iysBWA7py5/gsCBXJzL3IxAwVkcy9yMgQKcGVybWl0LXdlYgUFdHJ1c3QGB3VudHJ1c3QHBXVzZXIxCAVERVBUMQkKanVub3MtaHR0cAoESFRU" +
	"UAsKR09PR0xFLUdFTgwDV2ViDRFTb2NpYWwtTmV0d29ya2luZw4UQ2FuIExlYWsgSW5mb3JtYXRpb24PAk5vEApnZS0wLzAvMS4wEQpnZS0wLz" +
	"AvMi4wEgdUQzFfVlBOEwVhcGJyMRQFcnVsZTEVBHNsYTEWC2FwcGxpY2F0aW9uFwIxMxgNRW5oYW5jZWRfTmV3cxkGbXVsdGkxGgpnci0wLzAv" +
	"MC4wGwV2cG4tQRwFdnBuLUIdCmdlLTAvMC80LjAeCmdyLTAvMC8xLjADHxNzc2wtaW5zcGVjdC1wcm9maWxlIA93d3cuZXhhbXBsZS5jb20hCk" +
	"NBVEVHT1JZLTEiD3d3dy5leGFtcGxlLm5ldGMC///Ei8bRAQEcECABDbgAAAAAAAAAAAAAABD7ARAgAQ24AAEAAAAAAAAAAAAB+gEAAAAAEQAA" +
	"AAAAAAAAAAAAACMBMQUGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABqAv//xIvG0QEBmUsEwAACCsCQAgTGM2QCUATLAHEBkU4ExjNkA5" +
	"A/BggD2wKXjgGEA9iGCKcPo5gEgMDRtoXYsrAVgO6cuf4LAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4DHyAhIg==")

// TestDecodeFullBatch: what an earlier version wrote is read.
func TestDecodeFullBatch(t *testing.T) {
	entries, err := decodeBatch(fullBatch, 1)
	if err != nil {
		t.Fatal(err)
	}
	var want []Entry
	for i, s := range []*Session{fullSession(), emptySession(), fullSession()} {
		want = append(want, Entry{Number: int64(i + 1), Time: testTime.Add(-time.Duration(i) * time.Hour), Tag: FlowClose, Reason: string(ReasonClientFIN), Session: *s})
	}
	if diff := cmp.Diff(want, entries, equalSessions); diff != "" {
		t.Error(diff)
	}
}

// TestEncodeDifferences: what a record has in common with the one before takes no room.
func TestEncodeDifferences(t *testing.T) {
	one := len(encoded(fullSession()))
	if many := len(encoded(slices.Repeat([]*Session{fullSession()}, 101)...)); many > one+100*12 {
		t.Errorf("a record takes %d bytes, and 100 more like it %d", one, many-one)
	}
}
