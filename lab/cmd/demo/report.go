package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"sluice/lab"
)

// logLines is how many lines of the security log are shown of each kind.
const logLines = 2

// report shows what the gateway says about the traffic: sessions, hit counts and log.
func (d *demo) report(ctx context.Context) {
	d.style.heading("The session table, while a client holds two sessions")
	idle, err := d.holdSessions(ctx)
	if err != nil {
		d.fail(err.Error())
	}
	d.show(ctx, "show security flow session destination-prefix 203.0.113.0/24", lab.EchoAddr4, "relay", lab.WebAddr4Link1, lab.WAN1Gateway4)
	d.show(ctx, "show security flow session summary")
	for _, p := range idle {
		p.Kill()
	}

	d.style.heading("The policies")
	hits := d.show(ctx, "show security policies hit-count", "web", "names", "diagnose", "measure", "relay", "no-video", "no-telnet", "no-badlands")
	for _, policy := range []string{"web", "names", "diagnose", "measure", "relay", "no-video", "no-telnet", "no-badlands"} {
		if !regexp.MustCompile(`(?m)\b` + policy + `\s+[1-9]`).MatchString(hits) {
			d.fail("hit count of policy " + policy + " is not positive")
		}
	}

	d.style.heading("The applications")
	d.show(ctx, "show services application-identification statistics applications", "WIKIPEDIA", "HTTPS", "ECHO", "ICMP")

	d.style.heading("The security log")
	d.showLog(ctx, "RT_FLOW_SESSION_CREATE", "RT_FLOW_SESSION_CLOSE", "RT_FLOW_SESSION_DENY", "APPTRACK_SESSION_CREATE", "APPTRACK_SESSION_CLOSE",
		"SSL_PROXY_INFO", "SSL_PROXY_SSL_SESSION_DROP")
}

// holdSessions opens one session on the stream path and one with a translated source.
func (d *demo) holdSessions(ctx context.Context) ([]*lab.Process, error) {
	var held []*lab.Process
	for _, to := range []string{lab.EchoAddr4 + ":7", lab.WebAddr4Link1 + ":80"} {
		p, err := d.lab.Client.Start(labhost(), "idle", "-to", to, "-count", "1")
		if err != nil {
			return held, err
		}
		held = append(held, p)
		for !strings.Contains(p.Output(), "open 1") {
			select {
			case <-p.Exited():
				return held, fmt.Errorf("no session to %s: %s", to, p.Output())
			case <-ctx.Done():
				return held, ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return held, nil
}

// show runs an operational command, prints its answer and checks that it holds texts.
func (d *demo) show(ctx context.Context, command string, want ...string) string {
	limit, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := d.gateway.Show(limit, command)
	d.style.command("gateway", command, out)
	if err != nil {
		d.fail(err.Error())
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			d.fail(fmt.Sprintf("%s does not show %q", command, w))
		}
	}
	return out
}

// showLog prints some lines of each kind of message; there must be one of each, and the gateway
// may take a moment to write it.
func (d *demo) showLog(ctx context.Context, kinds ...string) {
	for _, kind := range kinds {
		var found []string
		for deadline := time.Now().Add(5 * time.Second); len(found) == 0 && time.Now().Before(deadline) && ctx.Err() == nil; {
			text, err := os.ReadFile(d.log)
			if err != nil && !os.IsNotExist(err) {
				d.fail(err.Error())
				return
			}
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, kind) {
					found = append(found, line)
				}
			}
			if len(found) == 0 {
				time.Sleep(50 * time.Millisecond)
			}
		}
		if len(found) == 0 {
			d.fail("the security log has no " + kind)
			continue
		}
		for _, line := range found[max(0, len(found)-logLines):] {
			fmt.Print(line)
		}
		fmt.Println()
	}
}

// stop ends the gateway; it must go in order.
func (d *demo) stop() {
	if err := d.gateway.Stop(10 * time.Second); err != nil {
		d.fail("graceful stop: " + err.Error())
	}
}
