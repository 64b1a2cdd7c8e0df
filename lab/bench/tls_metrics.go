package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"sluice/lab"
)

// tlsArguments are those of "labhost tls" for a server and a measurement.
func (m *mode) tlsArguments(port int, name, measure string, more ...string) []string {
	return append([]string{"tls", "-to", fmt.Sprintf("%s:%d", lab.WebAddr4, port), "-name", name, "-issuer", m.issuer, "-measure", measure}, more...)
}

// measureTLSBulk downloads over 1 and 8 connections.
func measureTLSBulk(ctx context.Context, s settings, m *mode, r *result) error {
	var errs []error
	for _, count := range []int{1, 8} {
		var got struct{ Bytes, Seconds float64 }
		before := m.cpu()
		err := m.helper(ctx, s, &got, m.tlsArguments(lab.ModernPort, lab.WebName, "bulk", "-count", strconv.Itoa(count), "-path", "/download", "-time", s.seconds.String())...)
		used := m.cpu() - before
		if err != nil {
			errs = append(errs, err)
			continue
		}
		name := fmt.Sprintf("download, %d connections", count)
		if count == 1 {
			name = "download, 1 connection"
		}
		r.add(name, "Gbit/s", got.Bytes*8/1e9/got.Seconds)
		if m.process != nil && got.Bytes > 0 {
			r.add(name+", CPU", "s/GB", used.Seconds()/(got.Bytes/1e9))
		}
	}
	return errors.Join(errs...)
}

// What wrk and h2load print.
var (
	wrkCount    = regexp.MustCompile(`(\d+) requests in ([\d.]+)s`)
	wrkBad      = regexp.MustCompile(`Socket errors: .*|Non-2xx.*`)
	h2loadCount = regexp.MustCompile(`requests: .* (\d+) done, (\d+) succeeded`)
	h2loadRate  = regexp.MustCompile(`finished in .*?, ([\d.]+) req/s`)
)

// requests adds the rate of requests and what each costs the process, as wrk finds them.
func (m *mode) requests(ctx context.Context, s settings, r *result, name, cost, unit string, scale float64, args ...string) error {
	before := m.cpu()
	out, err := m.client(ctx, s, "wrk", append([]string{"-t2", "-d" + strconv.Itoa(int(s.seconds.Seconds())) + "s"}, args...)...)
	used := m.cpu() - before
	if err != nil {
		return err
	}
	if bad := wrkBad.FindString(out); bad != "" {
		err = fmt.Errorf("%s: %s", name, bad)
	}
	found := wrkCount.FindStringSubmatch(out)
	if found == nil {
		return fmt.Errorf("no count in %q", out)
	}
	n, err1 := strconv.ParseFloat(found[1], 64)
	seconds, err2 := strconv.ParseFloat(found[2], 64)
	r.add(name, "1/s", n/seconds)
	if m.process != nil && n > 0 {
		r.add(cost, unit, used.Seconds()*scale/n)
	}
	return errors.Join(err, err1, err2)
}

// fullHandshakes are the servers that connections are made to: one that never takes up an earlier session,
// and one that does.
var fullHandshakes = []struct {
	port int
	text string
}{{lab.FullHandshakePort, "connections, full handshakes of both sides"}, {lab.ModernPort, "connections, full handshakes of the client"}}

// measureTLSHandshakes makes a connection for each request, with a full handshake of the client, to a
// server that lets sessions be taken up again and to one that does not.
func measureTLSHandshakes(ctx context.Context, s settings, m *mode, r *result) error {
	var errs []error
	for _, server := range fullHandshakes {
		errs = append(errs, m.requests(ctx, s, r, server.text, server.text+", CPU", "ms", 1e3,
			"-c16", "-H", "Connection: close", fmt.Sprintf("https://%s:%d/", lab.WebName, server.port)))
	}
	return errors.Join(errs...)
}

// abCount and abBad are what ab prints.
var (
	abCount = regexp.MustCompile(`(?s)Time taken for tests:\s+([\d.]+) seconds\s+Complete requests:\s+(\d+)`)
	abBad   = regexp.MustCompile(`(?m)^(?:Failed requests|Write errors|Non-2xx responses):\s+([1-9]\d*)$`)
)

// warmUp is how long connections are made before they are measured, so that programs follow the number of
// processors that they have.
const warmUp = 2 * time.Second

// measureTLSConfined makes a connection for each request as measureTLSHandshakes does, with what opens TLS
// on the first processor alone, and client and server on the others, so that it is that program whose
// speed is measured. The client is one that sleeps while it waits.
func measureTLSConfined(ctx context.Context, s settings, m *mode, r *result) (err error) {
	load, err := loadCPUs()
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, lab.ConfineProcess(os.Getpid()), m.lab.Web.Confine(), m.lab.Gateway.Confine())
	}()
	if err := errors.Join(lab.ConfineProcess(os.Getpid(), load...), m.lab.Web.Confine(load...), m.lab.Gateway.Confine(0)); err != nil {
		return err
	}
	if _, err := m.client(ctx, s, "ab", connectionsTo(lab.FullHandshakePort, warmUp)...); err != nil {
		return err
	}
	var errs []error
	for _, server := range fullHandshakes {
		errs = append(errs, m.connections(ctx, s, r, "one processor: "+server.text, server.port))
	}
	return errors.Join(errs...)
}

// loadCPUs are the processors that client and server have while what is measured has the first alone.
func loadCPUs() (list []int, err error) {
	for cpu := 1; cpu < runtime.NumCPU(); cpu++ {
		list = append(list, cpu)
	}
	if list == nil {
		return nil, errors.New("a processor for the load is needed beside that of the program that is measured")
	}
	return list, nil
}

// connectionsTo are the arguments with which ab makes connections to a port of the server for a time, as
// many at once as keep the processors busy.
func connectionsTo(port int, long time.Duration) []string {
	return []string{"-q", "-c48", "-n1000000", "-t", strconv.Itoa(int(long.Seconds())), fmt.Sprintf("https://%s:%d/", lab.WebName, port)}
}

// connections adds the rate of connections with one request each and what each costs the process, as ab
// finds them.
func (m *mode) connections(ctx context.Context, s settings, r *result, name string, port int) error {
	before := m.cpu()
	out, err := m.client(ctx, s, "ab", connectionsTo(port, s.seconds)...)
	used := m.cpu() - before
	if err != nil {
		return err
	}
	n, seconds, err := readAB(out)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.add(name, "1/s", n/seconds)
	if m.process != nil {
		r.add(name+", CPU", "ms", used.Seconds()*1e3/n)
	}
	return nil
}

// readAB finds in what ab prints how many requests were answered in how many seconds. It fails if any was not.
func readAB(out string) (requests, seconds float64, err error) {
	found := abCount.FindStringSubmatch(out)
	if found == nil {
		return 0, 0, fmt.Errorf("no count in %q", out)
	}
	if bad := abBad.FindString(out); bad != "" {
		return 0, 0, errors.New(bad)
	}
	seconds, err1 := strconv.ParseFloat(found[1], 64)
	requests, err2 := strconv.ParseFloat(found[2], 64)
	if err := errors.Join(err1, err2); err != nil || requests == 0 || seconds == 0 {
		return 0, 0, errors.Join(err, errors.New("no request was answered"))
	}
	return requests, seconds, nil
}

// measureTLSRequests makes requests on 16 open connections, in HTTP/1.1 and HTTP/2.
func measureTLSRequests(ctx context.Context, s settings, m *mode, r *result) error {
	url := fmt.Sprintf("https://%s:%d/", lab.WebName, lab.ModernPort)
	failure := m.requests(ctx, s, r, "requests, HTTP/1.1", "requests, HTTP/1.1, CPU", "µs", 1e6, "-c16", url)
	before := m.cpu()
	out, err := m.client(ctx, s, "h2load", "-t2", "-c16", "-m1", "-D", strconv.Itoa(int(s.seconds.Seconds())), url)
	used := m.cpu() - before
	if err != nil || !strings.Contains(out, "Application protocol: h2") {
		return errors.Join(failure, err) // those that speak no HTTP/2 have no figure for it
	}
	rate, count := h2loadRate.FindStringSubmatch(out), h2loadCount.FindStringSubmatch(out)
	if rate == nil || count == nil || count[1] != count[2] {
		return errors.Join(failure, fmt.Errorf("h2load: %q", out))
	}
	perSecond, err1 := strconv.ParseFloat(rate[1], 64)
	n, err2 := strconv.ParseFloat(count[1], 64)
	r.add("requests, HTTP/2", "1/s", perSecond)
	if m.process != nil && n > 0 {
		r.add("requests, HTTP/2, CPU", "µs", used.Seconds()*1e6/n)
	}
	return errors.Join(failure, err1, err2)
}

// namesAtOnce is how many new names a round asks for.
const namesAtOnce = 100

// measureTLSNames asks servers of names that were never asked for, and then again.
func measureTLSNames(ctx context.Context, s settings, m *mode, r *result) error {
	if m.names+namesAtOnce > originNames {
		return nil
	}
	var got struct {
		First float64 `json:"first_us"`
		Again float64 `json:"again_us"`
	}
	err := m.helper(ctx, s, &got, m.tlsArguments(originPort, originDomain, "names", "-first", strconv.Itoa(m.names), "-count", strconv.Itoa(namesAtOnce))...)
	m.names += namesAtOnce
	if err != nil {
		return err
	}
	r.add("first connection to a name p50", "µs", got.First)
	r.add("second connection to a name p50", "µs", got.Again)
	r.add("added by the first p50", "µs", got.First-got.Again)
	return nil
}

// idleTLS is how many sessions the memory of idle ones is measured with.
const idleTLS = 1000

// openedPattern is what "labhost tls -measure idle" prints.
var openedPattern = regexp.MustCompile(`(?m)^open (\d+) failed (\d+)$`)

// measureTLSIdle is the memory of the process for each of many idle sessions.
func measureTLSIdle(ctx context.Context, s settings, m *mode, r *result) error {
	if m.process == nil {
		return nil
	}
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	before, err := m.process.Memory()
	if err != nil {
		return err
	}
	client, err := m.lab.Client.Start(tool, m.tlsArguments(lab.ModernPort, lab.WebName, "idle", "-count", strconv.Itoa(idleTLS))...)
	if err != nil {
		return err
	}
	defer client.Stop(10 * time.Second) //nolint:errcheck // it is of no use any more
	var open float64
	for deadline := time.Now().Add(time.Minute); open == 0; time.Sleep(50 * time.Millisecond) {
		if found := openedPattern.FindStringSubmatch(client.Output()); found != nil {
			if open, err = strconv.ParseFloat(found[1], 64); err != nil || open == 0 {
				return errors.Join(err, fmt.Errorf("no session came up: %s", client.Output()))
			}
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("the sessions do not come up: %s", client.Output())
		}
	}
	time.Sleep(time.Second) // the last of them have settled
	after, err := m.process.Memory()
	r.add("idle sessions opened", "", open)
	r.add("memory of an idle session", "KiB", float64(after-before)/1024/open)
	return err
}
