// Command demo shows the gateway at work: it makes a lab, starts the gateway with a small
// configuration, drives ordinary clients through it and prints what happened. It exits 1 when
// anything is not as it should be. With -shell it leaves the lab up and opens the shell.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sluice/lab"
)

func main() {
	shell := flag.Bool("shell", false, "leave the lab up and open the operational shell")
	flag.Parse()
	// The first signal ends the demo in order, so that nothing is left behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *shell); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}

// demo is one run.
type demo struct {
	lab      *lab.Lab
	gateway  *lab.Gateway
	log      string // path of the security log
	style    style
	failures []string
}

// run makes the world, uses it and removes it.
func run(ctx context.Context, shell bool) (err error) {
	start := time.Now()
	d := &demo{style: terminalStyle(os.Stdout)}
	if d.lab, err = lab.New(ctx, lab.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.lab.Close()) }()
	d.log = filepath.Join(d.lab.Dir, "security.log")
	d.style.heading("The lab")
	fmt.Print(picture)
	if d.gateway, err = d.lab.StartGateway(ctx, strings.ReplaceAll(configuration, "LOG", d.log)); err != nil {
		return err
	}
	fmt.Printf("The gateway answers %.1f s after the start of the demo.\n", time.Since(start).Seconds())

	if shell {
		return d.shell(ctx)
	}
	d.traffic(ctx)
	d.inside(ctx)
	d.report(ctx)
	d.stop()
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if len(d.failures) > 0 {
		return fmt.Errorf("%d of the above are not as expected:\n  %s\nthe gateway printed:\n%s",
			len(d.failures), strings.Join(d.failures, "\n  "), d.gateway.Output())
	}
	d.style.heading(fmt.Sprintf("All as expected, in %.0f s", time.Since(start).Seconds()))
	return nil
}

// picture is the lab as the reader should have it in mind.
const picture = `
  client 192.0.2.10 ── lan0 ┐           ┌ wan0 ── 198.51.100.0/30 ─┐            ┌ web  203.0.113.80
         2001:db8:1::10     ├ gateway ──┤                          ├ internet ──┼ dns  203.0.113.53
  guest  192.0.2.130 ─ gst0 ┘           └ wan1 ── 198.51.100.4/30 ─┘            └ echo 203.0.113.7

  Each is a network namespace. The servers' second addresses (203.0.113.128/25) are reached by wan1,
  where source NAT hides the branch.
`

// shell opens the operational shell; leaving it ends the demo.
func (d *demo) shell(ctx context.Context) error {
	d.style.heading("The shell")
	fmt.Printf(`The lab stays up while the shell is open. Be the client from another terminal:
  ip netns exec %[1]s curl http://www.example.net/
  ip netns exec %[1]s ping 203.0.113.7
Then, here:  show security flow session     show security policies hit-count
             show log security              configure
The security log is %[2]s. "exit" ends everything.

`, d.lab.Client.Namespace, d.log)
	// The shell itself gets the terminal's signals; it is not ended by ours.
	cmd := d.gateway.Shell(context.WithoutCancel(ctx))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
