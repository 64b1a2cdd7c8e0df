package lab

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// idleLot is how many connections one client process holds and one server process takes: less
// than the 4,096 open files that Linux grants where nothing grants more.
const idleLot = 3500

// portIdle is the port of the first server of idle sessions; each lot has one of its own.
const portIdle = 7100

// IdleSessions are TCP connections from the client to the echo host that do nothing.
type IdleSessions struct {
	Open, Failed int
	Failure      string // why the first of Failed did not come up
	clients      []*Process
}

// What "labhost idle" prints.
var (
	openPattern  = regexp.MustCompile(`(?m)^open (\d+) failed (\d+)$`)
	failPattern  = regexp.MustCompile(`(?m)^first failure: (.*)$`)
	alivePattern = regexp.MustCompile(`(?m)^alive (\d+)$`)
)

// OpenIdle opens count TCP sessions through the gateway, from ten addresses of the client, and
// holds them until Close. Further arguments are those of "labhost idle": -reset ends them with RST.
func (l *Lab) OpenIdle(ctx context.Context, count int, args ...string) (*IdleSessions, error) {
	tool, err := Binary("labhost")
	if err != nil {
		return nil, err
	}
	s := &IdleSessions{}
	for lot := 0; lot*idleLot < count; lot++ {
		port := strconv.Itoa(portIdle + lot)
		if lot == len(l.idleServers) {
			server, err := l.Echo.Start(tool, "echo", "-echo", port)
			if err != nil {
				return nil, err
			}
			l.idleServers = append(l.idleServers, server)
			if err := server.WaitListening(ctx, "tcp", uint16(portIdle+lot)); err != nil {
				return nil, err
			}
		}
		n := min(idleLot, count-lot*idleLot)
		p, err := l.Client.Start(tool, append([]string{"idle", "-to", EchoAddr4 + ":" + port, "-from", ClientAddr4,
			"-count", strconv.Itoa(n), "-check"}, args...)...)
		if err != nil {
			return nil, err
		}
		s.clients = append(s.clients, p)
	}
	for _, p := range s.clients {
		if err := p.waitFor(ctx, "open its connections", func() bool { return openPattern.MatchString(p.Output()) }); err != nil {
			return nil, s.abandon(err)
		}
		m := openPattern.FindStringSubmatch(p.Output())
		open, _ := strconv.Atoi(m[1]) // digits, as the pattern says
		failed, _ := strconv.Atoi(m[2])
		s.Open, s.Failed = s.Open+open, s.Failed+failed
		if m := failPattern.FindStringSubmatch(p.Output()); m != nil && s.Failure == "" {
			s.Failure = m[1]
		}
	}
	return s, nil
}

// Close asks each session for an echo, ends them all and returns how many were alive.
func (s *IdleSessions) Close() (alive int, err error) {
	for _, p := range s.clients {
		p.terminate()
	}
	for _, p := range s.clients {
		if err := p.Stop(time.Minute); err != nil {
			return alive, s.abandon(err)
		}
		m := alivePattern.FindStringSubmatch(p.Output())
		if m == nil {
			return alive, fmt.Errorf("%s did not say how many sessions are alive: %s", p.name, p.Output())
		}
		n, _ := strconv.Atoi(m[1])
		alive += n
	}
	return alive, nil
}

// abandon ends the clients because of an error, which it returns.
func (s *IdleSessions) abandon(err error) error {
	for _, p := range s.clients {
		p.Kill()
	}
	return err
}
