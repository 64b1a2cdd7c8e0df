package main

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"time"

	"sluice/lab"
)

// recordRate is how many sessions a second the record measurement opens. In the mode that records,
// each makes four records: 10,000 a second.
const recordRate = 2500

// measureRecords runs iperf3 while sessions come and go at a steady rate: the throughput that is
// left, and what the process takes, with and without records of these sessions.
func measureRecords(ctx context.Context, s settings, m *mode, r *result) error {
	if m.gateway == nil {
		return nil
	}
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	opener, err := m.lab.Client.Start(tool, "sessions", "-to", lab.DeadAddr4, "-rate", strconv.Itoa(recordRate), "-time", (s.seconds + 6*time.Second).String())
	if err != nil {
		return err
	}
	time.Sleep(5 * time.Second) // until as many end as begin
	recordsBefore, err := m.tracked(ctx)
	if err != nil {
		return err
	}
	before, collecting := m.cpu(), cpuOf(m.collector)
	start := time.Now()
	out, err := m.client(ctx, s, "iperf3", "-c", lab.WebAddr4, "-t", strconv.Itoa(int(s.seconds.Seconds())), "-P", "8", "-J")
	used, collected, took := m.cpu()-before, cpuOf(m.collector)-collecting, time.Since(start)
	records, counting := m.tracked(ctx)
	err = errors.Join(err, counting)
	limit, cancel := context.WithTimeout(ctx, s.seconds+20*time.Second)
	defer cancel()
	if err := errors.Join(err, opener.Wait(limit)); err != nil {
		return err
	}
	var report struct {
		End struct {
			Received struct {
				Bits float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		return err
	}
	r.add("TCP 8 up beside 2,500 sessions/s", "Gbit/s", report.End.Received.Bits/1e9)
	r.add("records a second", "1/s", 2*(records-recordsBefore)/took.Seconds()) // as many of policies as of tracking
	r.add("TCP 8 up beside 2,500 sessions/s, CPU", "cores", used.Seconds()/took.Seconds())
	if m.collector != nil {
		r.add("the same of the collector", "cores", collected.Seconds()/took.Seconds())
	}
	return nil
}

// tracked is how many messages application tracking has sent.
func (m *mode) tracked(ctx context.Context) (total float64, err error) {
	text, err := m.gateway.Show(ctx, "show security application-tracking counters")
	for _, count := range regexp.MustCompile(`Session \w+ \w+\s+(\d+)`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(count[1], 64) // digits
		total += n
	}
	return total, err
}
