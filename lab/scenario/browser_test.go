package scenario

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// browser is a Chromium on the client, which knows its authorities from a database of its own and is driven
// by the DevTools protocol.
type browser struct {
	w         *world
	in        io.Writer
	out       *bufio.Reader
	session   string // of the one page
	calls     int
	responses map[string]response // by URL
	loaded    int                 // pages so far
}

// response is what the browser says of an answer that it got.
type response struct {
	URL             string `json:"url"`
	Status          int    `json:"status"`
	Protocol        string `json:"protocol"`
	SecurityDetails struct {
		Protocol         string `json:"protocol"`
		KeyExchangeGroup string `json:"keyExchangeGroup"`
		Issuer           string `json:"issuer"`
	} `json:"securityDetails"`
}

// devtools is a message of the DevTools protocol, of either direction.
type devtools struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// browse starts a browser that trusts the authority of a file, or none without one. It finds every host name
// at address, and talks to nobody by itself.
func (w *world) browse(address, root string) *browser {
	w.t.Helper()
	home, err := os.MkdirTemp(w.Dir, "browser-") // goes with the lab, whose end ends every process first
	if err != nil {
		w.t.Fatal(err)
	}
	store := filepath.Join(home, ".pki/nssdb")
	if err := os.MkdirAll(store, 0o700); err != nil {
		w.t.Fatal(err)
	}
	commands := [][]string{{"-N", "--empty-password"}}
	if root != "" {
		commands = append(commands, []string{"-A", "-t", "C,,", "-n", "root", "-i", root})
	}
	for _, args := range commands {
		if out, err := exec.Command("certutil", append([]string{"-d", "sql:" + store}, args...)...).CombinedOutput(); err != nil {
			w.t.Fatalf("certutil: %v\n%s", err, out)
		}
	}
	cmd := w.Client.Command(w.t.Context(), "chromium-headless-shell", "--remote-debugging-pipe", "--user-data-dir="+filepath.Join(home, "profile"),
		"--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking", "--no-first-run", "--no-proxy-server",
		"--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * "+address)
	cmd.Env = append(os.Environ(), "HOME="+home)
	commandsOut, in, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, repliesIn, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{commandsOut, repliesIn}
	err = cmd.Start()
	_, _ = commandsOut.Close(), repliesIn.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = in.Close() // it ends with its pipe
		done := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		done.Stop()
		out.Close()
	})
	_ = out.SetReadDeadline(time.Now().Add(2 * time.Minute))
	b := &browser{w: w, in: in, out: bufio.NewReaderSize(out, 1<<20), responses: map[string]response{}}
	var made struct{ TargetID, SessionID string }
	b.must("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	b.must("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	b.session = made.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime"} {
		b.must(domain+".enable", nil, nil)
	}
	return b
}

// call sends a command and waits for its result.
func (b *browser) call(method string, params, result any) error {
	b.calls++
	m := devtools{ID: b.calls, SessionID: b.session, Method: method}
	if params != nil {
		raw, err := json.Marshal(params)
		if err != nil {
			return err
		}
		m.Params = raw
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(raw, 0)); err != nil {
		return err
	}
	for {
		reply, err := b.next()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", method, err)
		case reply.ID != m.ID:
			continue
		case reply.Error != nil:
			return fmt.Errorf("%s: %s", method, reply.Error.Message)
		case result == nil:
			return nil
		}
		return json.Unmarshal(reply.Result, result)
	}
}

// must is call for what cannot fail.
func (b *browser) must(method string, params, result any) {
	b.w.t.Helper()
	if err := b.call(method, params, result); err != nil {
		b.w.t.Fatal(err)
	}
}

// next reads a message, and notes the events that matter.
func (b *browser) next() (m devtools, err error) {
	raw, err := b.out.ReadBytes(0)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw[:len(raw)-1], &m); err != nil {
		return m, err
	}
	switch m.Method {
	case "Page.loadEventFired":
		b.loaded++
	case "Network.responseReceived":
		var p struct{ Response response }
		if err := json.Unmarshal(m.Params, &p); err != nil {
			return m, err
		}
		b.responses[p.Response.URL] = p.Response
	}
	return m, nil
}

// open loads a page with all that belongs to it. The error is the browser's, such as
// net::ERR_CERT_AUTHORITY_INVALID.
func (b *browser) open(url string) error {
	before := b.loaded
	var result struct{ ErrorText string }
	if err := b.call("Page.navigate", map[string]any{"url": url}, &result); err != nil {
		return err
	}
	if result.ErrorText != "" {
		return errors.New(result.ErrorText)
	}
	for b.loaded == before {
		if _, err := b.next(); err != nil {
			return err
		}
	}
	return nil
}

// run evaluates a JavaScript expression in the page, waits for the promise that it may be, and returns its
// text.
func (b *browser) run(expression string) (string, error) {
	var result struct {
		Result           struct{ Value string }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if err := b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &result); err != nil {
		return "", err
	}
	if e := result.ExceptionDetails; e != nil {
		return "", fmt.Errorf("%s %s", e.Text, e.Exception.Description)
	}
	return result.Result.Value, nil
}
