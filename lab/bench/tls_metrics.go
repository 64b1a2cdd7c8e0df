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

// fullHandshakes are the servers that connections are made to: one that never takes up an earlier session,
// and one that does.
var fullHandshakes = []struct {
	port int
	text string
}{{lab.FullHandshakePort, "connections, full handshakes of both sides"}, {lab.ModernPort, "connections, full handshakes of the client"}}

// connectionsAtOnce are so many that there is always one for what opens TLS to work at.
const connectionsAtOnce = 48

// measureTLSHandshakes makes a connection for each request, with a full handshake of the client, to a
// server that lets sessions be taken up again and to one that does not.
func measureTLSHandshakes(ctx context.Context, s settings, m *mode, r *result) error {
	return m.connections(ctx, s, r, "")
}

// measureTLSConfined is measureTLSHandshakes with what opens TLS on the first processor alone, and client
// and server on the others, so that it is that program whose speed is measured.
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
	return m.connections(ctx, s, r, "one processor: ")
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

// warmUp is how long connections are made before they are measured, so that programs follow the number of
// processors that they have.
const warmUp = 2 * time.Second

// connections adds, for each kind of server, the rate of connections with one request each and what each
// costs the process.
func (m *mode) connections(ctx context.Context, s settings, r *result, where string) error {
	var errs []error
	for _, server := range fullHandshakes {
		measure := func(long time.Duration) (count, seconds float64, err error) {
			var got struct{ Connections, Seconds float64 }
			err = m.helper(ctx, s, &got, m.tlsArguments(server.port, lab.WebName, "connections", "-count", strconv.Itoa(connectionsAtOnce), "-time", long.String())...)
			return got.Connections, got.Seconds, err
		}
		if _, _, err := measure(warmUp); err != nil {
			errs = append(errs, err)
			continue
		}
		before := m.cpu()
		count, seconds, err := measure(s.seconds)
		used := m.cpu() - before
		if err != nil || count == 0 {
			errs = append(errs, err)
			continue
		}
		r.add(where+server.text, "1/s", count/seconds)
		if m.process != nil {
			r.add(where+server.text+", CPU", "ms", used.Seconds()*1e3/count)
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

// measureTLSRequests makes requests on 16 open connections, in HTTP/1.1 and HTTP/2.
func measureTLSRequests(ctx context.Context, s settings, m *mode, r *result) error {
	url := fmt.Sprintf("https://%s:%d/", lab.WebName, lab.ModernPort)
	return errors.Join(m.requests(ctx, s, r, url), m.requests2(ctx, s, r, url))
}

// requests adds the rate of requests in HTTP/1.1 and what each costs the process, as wrk finds them.
func (m *mode) requests(ctx context.Context, s settings, r *result, url string) error {
	before := m.cpu()
	out, err := m.client(ctx, s, "wrk", "-t2", "-c16", "-d"+strconv.Itoa(int(s.seconds.Seconds()))+"s", url)
	used := m.cpu() - before
	if err != nil {
		return err
	}
	if bad := wrkBad.FindString(out); bad != "" {
		err = errors.New(bad)
	}
	found := wrkCount.FindStringSubmatch(out)
	if found == nil {
		return fmt.Errorf("no count in %q", out)
	}
	n, err1 := strconv.ParseFloat(found[1], 64)
	seconds, err2 := strconv.ParseFloat(found[2], 64)
	m.addRequests(r, "requests, HTTP/1.1", n, n/seconds, used)
	return errors.Join(err, err1, err2)
}

// requests2 adds the rate of requests in HTTP/2 and what each costs the process, as h2load finds them.
func (m *mode) requests2(ctx context.Context, s settings, r *result, url string) error {
	before := m.cpu()
	out, err := m.client(ctx, s, "h2load", "-t2", "-c16", "-m1", "-D", strconv.Itoa(int(s.seconds.Seconds())), url)
	used := m.cpu() - before
	if err != nil || !strings.Contains(out, "Application protocol: h2") {
		return err // those that speak no HTTP/2 have no figure for it
	}
	rate, count := h2loadRate.FindStringSubmatch(out), h2loadCount.FindStringSubmatch(out)
	if rate == nil || count == nil || count[1] != count[2] {
		return fmt.Errorf("h2load: %q", out)
	}
	perSecond, err1 := strconv.ParseFloat(rate[1], 64)
	n, err2 := strconv.ParseFloat(count[1], 64)
	m.addRequests(r, "requests, HTTP/2", n, perSecond, used)
	return errors.Join(err1, err2)
}

// addRequests adds the rate of n requests and what each cost the process.
func (m *mode) addRequests(r *result, name string, n, perSecond float64, used time.Duration) {
	r.add(name, "1/s", perSecond)
	if m.process != nil && n > 0 {
		r.add(name+", CPU", "µs", used.Seconds()*1e6/n)
	}
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
const idleTLS = 6000

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
