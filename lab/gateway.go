package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Gateway is a running "sluice gateway" in the lab's gateway namespace.
type Gateway struct {
	*Process
	Dir    string // its state directory
	binary string
	host   *Host
}

// StartGateway starts the gateway in a state directory of its own, with config (set statements)
// as its first configuration, and waits until its control API answers.
func (l *Lab) StartGateway(ctx context.Context, config string) (*Gateway, error) {
	dir, err := os.MkdirTemp(l.Dir, "state-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "first.set")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return l.RestartGateway(ctx, filepath.Join(dir, "state"), "--config", file)
}

// RestartGateway starts the gateway on a state directory that may have been used before, with
// further arguments for it, and waits until its control API answers. When the lab closes it ends at
// once, and has to end in order.
func (l *Lab) RestartGateway(ctx context.Context, dir string, args ...string) (*Gateway, error) {
	binary, err := Binary("sluice")
	if err != nil {
		return nil, err
	}
	p, err := l.Gateway.Start(binary, append([]string{"gateway", "--state", dir, "--drain", "0s"}, args...)...)
	if err != nil {
		return nil, err
	}
	p.grace.Store(int64(10 * time.Second))
	g := &Gateway{Process: p, Dir: dir, binary: binary, host: l.Gateway}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := p.waitFor(ctx, "answer on its control socket", func() bool {
		if _, err := os.Stat(g.Socket()); err != nil {
			return false
		}
		_, err := g.Show(ctx, "show security flow session summary")
		return err == nil
	}); err != nil {
		return nil, err
	}
	return g, nil
}

// Socket is the control API's socket, for SLUICE_SOCKET.
func (g *Gateway) Socket() string { return filepath.Join(g.Dir, "sluice.sock") }

// Show runs operational commands, separated by semicolons, and returns what they print.
func (g *Gateway) Show(ctx context.Context, commands string) (string, error) {
	return g.cli(ctx, "", "-c", commands)
}

// Configure runs configuration mode commands in order and commits them.
func (g *Gateway) Configure(ctx context.Context, commands ...string) error {
	script := "configure\n" + strings.Join(commands, "\n") + "\ncommit and-quit\n"
	_, err := g.cli(ctx, script)
	return err
}

// Edit runs configuration mode commands in order and returns what they print, warnings too. It
// commits only what they commit.
func (g *Gateway) Edit(ctx context.Context, commands ...string) (string, error) {
	cmd := g.command(ctx)
	cmd.Stdin = strings.NewReader("configure\n" + strings.Join(commands, "\n") + "\nexit\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}

// Shell is the operational shell on the given terminal, not yet started.
func (g *Gateway) Shell(ctx context.Context) *exec.Cmd { return g.command(ctx) }

// CleanUp runs "sluice cleanup", which takes back what a killed gateway left in the kernel.
func (g *Gateway) CleanUp(ctx context.Context) error {
	_, err := g.cli(ctx, "", "cleanup", "--state", g.Dir)
	return err
}

// command prepares the gateway's binary as a client of its control API.
func (g *Gateway) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := g.host.Command(ctx, g.binary, args...)
	cmd.Env = append(os.Environ(), "SLUICE_SOCKET="+g.Socket())
	return cmd
}

// cli runs a client with input on its standard input; an error holds what it printed.
func (g *Gateway) cli(ctx context.Context, input string, args ...string) (string, error) {
	cmd := g.command(ctx, args...)
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("sluice %s: %w: %s%s", strings.Join(args, " "), err, errs.String(), out.String())
	}
	return out.String(), nil
}
