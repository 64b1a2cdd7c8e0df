package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"sluice/lab"
)

// metric is one thing measured of every mode, under one or more names in the table.
type metric struct {
	name    string
	tls     bool // of modes that open TLS
	once    bool // in the first round only
	measure func(context.Context, settings, *mode, *result) error
}

// metrics are in the order of the table.
var metrics = []metric{
	{"tcp", false, false, measureTCP},
	{"connections", false, false, measureConnections},
	{"records", false, false, measureRecords},
	{"latency", false, false, measureLatency},
	{"udp", false, false, measureUDP},
	{"commit", false, false, measureCommit},
	{"policies", false, false, measurePolicies},
	{"idle", false, true, measureIdle},
	{"turnover", false, true, measureTurnover},
	{"tls-bulk", true, false, measureTLSBulk},
	{"tls-handshakes", true, false, measureTLSHandshakes},
	{"tls-confined", true, false, measureTLSConfined},
	{"tls-requests", true, false, measureTLSRequests},
	{"tls-names", true, false, measureTLSNames},
	{"tls-idle", true, true, measureTLSIdle},
}

// measureTCP runs iperf3 with 1 and 8 streams each way.
func measureTCP(ctx context.Context, s settings, m *mode, r *result) error {
	var errs []error
	for _, streams := range []int{1, 8} {
		for _, direction := range []string{"up", "down"} {
			args := []string{"-c", lab.WebAddr4, "-t", strconv.Itoa(int(s.seconds.Seconds())), "-P", strconv.Itoa(streams), "-J"}
			if direction == "down" {
				args = append(args, "-R")
			}
			before := m.cpu()
			out, err := m.client(ctx, s, "iperf3", args...)
			used := m.cpu() - before
			var report struct {
				Error string
				End   struct {
					Received struct {
						Bytes float64
						Bits  float64 `json:"bits_per_second"`
					} `json:"sum_received"`
				}
			}
			if err == nil {
				err = json.Unmarshal([]byte(out), &report)
			}
			if err == nil && report.Error != "" {
				err = errors.New(report.Error)
			}
			if err != nil {
				errs = append(errs, err)
				continue
			}
			name := fmt.Sprintf("TCP %d %s", streams, direction)
			r.add(name, "Gbit/s", report.End.Received.Bits/1e9)
			if m.process != nil && report.End.Received.Bytes > 0 {
				r.add(name+", CPU", "s/GB", used.Seconds()/(report.End.Received.Bytes/1e9))
			}
		}
	}
	return errors.Join(errs...)
}

// measureConnections runs wrk without keep-alive against the web server.
func measureConnections(ctx context.Context, s settings, m *mode, r *result) error {
	out, err := m.client(ctx, s, "wrk", "-t2", "-c64", "-d"+strconv.Itoa(int(s.seconds.Seconds()))+"s",
		"-H", "Connection: close", "http://"+lab.WebAddr4+"/")
	if err != nil {
		return err
	}
	rate := regexp.MustCompile(`Requests/sec:\s+([\d.]+)`).FindStringSubmatch(out)
	if rate == nil {
		return fmt.Errorf("no rate in %q", out)
	}
	n, err := strconv.ParseFloat(rate[1], 64)
	r.add("new connections", "1/s", n)
	return err
}

// latency is what "labhost ping" prints.
type latency struct {
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}

// ping runs the one-byte echo.
func (m *mode) ping(ctx context.Context, s settings) (l latency, err error) {
	err = m.helper(ctx, s, &l, "ping", "-to", lab.EchoAddr4+":7", "-time", s.seconds.String())
	return l, err
}

// measureLatency is the round trip of one byte on an open connection.
func measureLatency(ctx context.Context, s settings, m *mode, r *result) error {
	l, err := m.ping(ctx, s)
	if err != nil {
		return err
	}
	r.add("round trip p50", "µs", l.P50)
	r.add("round trip p99", "µs", l.P99)
	return nil
}

// udpRates are the packets a second offered, of 64 bytes.
var udpRates = []int{50000, 100000, 200000}

// measureUDP sends datagrams at each rate and counts what arrives.
func measureUDP(ctx context.Context, s settings, m *mode, r *result) error {
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	for _, rate := range udpRates {
		run := strconv.FormatInt(time.Now().UnixNano(), 10)
		sink, err := m.lab.Web.Start(tool, "sink", "-run", run)
		if err != nil {
			return err
		}
		if err := sink.WaitListening(ctx, "udp", 9999); err != nil {
			return err
		}
		var sent struct {
			Sent    float64
			Seconds float64
		}
		if err := m.helper(ctx, s, &sent, "blast", "-to", lab.WebAddr4+":9999", "-run", run,
			"-rate", strconv.Itoa(rate), "-time", s.seconds.String()); err != nil {
			return err
		}
		limit, cancel := context.WithTimeout(ctx, time.Minute)
		err = sink.Wait(limit)
		cancel()
		if err != nil {
			return err
		}
		var got struct{ Received float64 }
		if err := json.Unmarshal([]byte(sink.Output()), &got); err != nil {
			return err
		}
		name := fmt.Sprintf("UDP, %d,000 offered", rate/1000)
		r.add(name+": received", "1/s", got.Received/sent.Seconds)
		r.add(name+": lost", "%", 100*(1-got.Received/sent.Sent))
	}
	return nil
}

// measureCommit is the longest round trip while configurations are being committed, and without.
func measureCommit(ctx context.Context, s settings, m *mode, r *result) error {
	if m.gateway == nil {
		return nil
	}
	quiet, err := m.ping(ctx, s)
	if err != nil {
		return err
	}
	limit, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	var commits int
	go func() {
		for limit.Err() == nil {
			commits++
			if err := m.gateway.Configure(ctx, fmt.Sprintf("set system host-name bench-%d", commits)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	busy, err := m.ping(ctx, s)
	cancel()
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	r.add("longest round trip, quiet", "µs", quiet.Max)
	r.add("longest round trip, committing", "µs", busy.Max)
	r.add("commits meanwhile", "", float64(commits))
	return nil
}

// measureIdle is the memory of the process for each of many idle sessions.
func measureIdle(ctx context.Context, s settings, m *mode, r *result) error {
	if m.process == nil {
		return nil
	}
	before, err := m.process.Memory()
	if err != nil {
		return err
	}
	return m.sessions(ctx, s.idle, func(open int) error {
		after, err := m.process.Memory()
		r.add("idle sessions opened", "", float64(open))
		r.add("memory of an idle session", "KiB", float64(after-before)/1024/float64(open))
		return err
	})
}

// measureTurnover opens and resets sessions in lots and compares the memory after a tenth of them
// with that at the end.
func measureTurnover(ctx context.Context, s settings, m *mode, r *result) error {
	if m.gateway == nil {
		return nil
	}
	lot := max(1, min(10000, s.turn/10))
	var early int64
	start := time.Now()
	for n := 0; n < s.turn; n += lot {
		if err := m.sessions(ctx, lot, func(int) error { return nil }); err != nil {
			return err
		}
		if early == 0 && n+lot >= s.turn/10 {
			var err error
			if early, err = m.process.Memory(); err != nil {
				return err
			}
		}
	}
	late, err := m.process.Memory()
	r.add("turnover: sessions a second", "1/s", float64(s.turn)/time.Since(start).Seconds())
	r.add("turnover: memory after a tenth", "MiB", float64(early)/(1<<20))
	r.add("turnover: memory at the end", "MiB", float64(late)/(1<<20))
	return err
}

// sessions opens count sessions, calls while with the number that came up, and resets them.
func (m *mode) sessions(ctx context.Context, count int, while func(open int) error) error {
	limit, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	idle, err := m.lab.OpenIdle(limit, count, "-reset")
	if err != nil {
		return err
	}
	if idle.Open == 0 {
		err = errors.New("no session came up")
	} else {
		err = while(idle.Open)
	}
	_, closing := idle.Close()
	return errors.Join(err, closing)
}

// client runs a program on the client; it gets some time more than one measurement.
func (m *mode) client(ctx context.Context, s settings, name string, args ...string) (string, error) {
	limit, cancel := context.WithTimeout(ctx, s.seconds+20*time.Second)
	defer cancel()
	return m.lab.Client.Run(limit, name, args...)
}

// helper runs labhost on the client and decodes the JSON that it prints.
func (m *mode) helper(ctx context.Context, s settings, into any, args ...string) error {
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	out, err := m.client(ctx, s, tool, args...)
	if err != nil {
		return err
	}
	return decodeHelper(out, into)
}

// decodeHelper decodes the JSON that labhost printed.
func decodeHelper(out string, into any) error {
	if err := json.Unmarshal([]byte(out), into); err != nil {
		return fmt.Errorf("labhost: %w: %s", err, out)
	}
	return nil
}

// cpu is the processor time the mode's process has used; zero for the kernel.
func (m *mode) cpu() time.Duration { return cpuOf(m.process) }

// cpuOf is the processor time that p has used; zero for none.
func cpuOf(p *lab.Process) time.Duration {
	if p == nil {
		return 0
	}
	used, err := p.CPU()
	if err != nil {
		return 0 // it has ended, which the measurement notices
	}
	return used
}
