package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// DefaultSocket is where the gateway listens unless told otherwise.
const DefaultSocket = "/var/lib/sluice/sluice.sock"

// Client speaks to one gateway. Its methods may be called at the same time.
type Client struct {
	http   *http.Client
	socket string
	name   string // from the hello event; set by Events
}

// NewClient makes a client of the gateway that listens on socket. It connects when it is used.
func NewClient(socket string) *Client {
	var dialer net.Dialer
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// Close ends the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks who answers.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Command runs one operational command.
func (c *Client) Command(ctx context.Context, req Command) (Result, error) {
	var r Result
	return r, c.call(ctx, http.MethodPost, "/v1/command", req, &r)
}

// Complete asks what may come next in an operational command.
func (c *Client) Complete(ctx context.Context, line string) (Completions, error) {
	var r Completions
	return r, c.call(ctx, http.MethodPost, "/v1/complete", Complete{Line: line}, &r)
}

// Configure opens a configuration session; Events must be open.
func (c *Client) Configure(ctx context.Context, mode string) (Session, error) {
	var s Session
	return s, c.call(ctx, http.MethodPost, "/v1/configure", Configure{Mode: mode}, &s)
}

// Edit does verb inside the configuration session id.
func (c *Client) Edit(ctx context.Context, id, verb string, req Edit) (Edited, error) {
	var r Edited
	return r, c.call(ctx, http.MethodPost, "/v1/configure/"+id+"/"+verb, req, &r)
}

// CompleteEdit asks what may come next after verb at an edit level.
func (c *Client) CompleteEdit(ctx context.Context, id string, req Complete) (Completions, error) {
	var r Completions
	return r, c.call(ctx, http.MethodPost, "/v1/configure/"+id+"/complete", req, &r)
}

// CloseSession ends the configuration session id.
func (c *Client) CloseSession(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/v1/configure/"+id, nil, nil)
}

// Events opens the event stream, which makes this client known to the gateway, and calls on for
// every event until ctx ends or the gateway goes away. It returns after the hello; done is closed
// when the stream has ended.
func (c *Client) Events(ctx context.Context, on func(Event)) (done <-chan struct{}, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sluice/v1/events", nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, readError(resp)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, MaxLine)
	hello, ok := nextEvent(lines)
	if !ok || hello.Client == "" {
		resp.Body.Close()
		return nil, errors.New("the gateway did not greet: it may be of another version")
	}
	c.name = hello.Client
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer resp.Body.Close()
		for {
			event, ok := nextEvent(lines)
			if !ok {
				return
			}
			on(event)
		}
	}()
	return ended, nil
}

// nextEvent reads to the next data line.
func nextEvent(lines *bufio.Scanner) (Event, bool) {
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e Event
		if json.Unmarshal([]byte(data), &e) == nil {
			return e, true
		}
	}
	return Event{}, false
}

// call sends one request and reads its answer into answer, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("request %s: %w", path, err)
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://sluice"+path, content)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", ShellAgent)
	if c.name != "" {
		req.Header.Set(ClientHeader, c.name)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return readError(resp)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("answer of %s: %w", path, err)
	}
	return nil
}

// readError makes an [*Error] of an answer that is not a success.
func readError(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	e := &Error{Status: resp.StatusCode}
	if json.Unmarshal(text, e) != nil || e.Message == "" {
		e.Message = strings.TrimSpace(fmt.Sprintf("%s %s", resp.Status, text))
	}
	return e
}

// explain says what to do when the gateway cannot be reached.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Message: "no gateway is running at " + c.socket, Hint: "start it with: sluice gateway --state DIR"}
	case errors.Is(err, fs.ErrPermission):
		return &Error{Message: "you may not talk to the gateway at " + c.socket, Hint: "use sudo, or join the group that owns the socket"}
	}
	return fmt.Errorf("gateway at %s: %w", c.socket, err)
}
