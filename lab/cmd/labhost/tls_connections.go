package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// clientMemory is how much memory the client of connections takes before it collects garbage, in bytes.
const clientMemory = 64 << 20

// connections opens connections for a while, some at once: each with a full handshake and one request, whose
// answer is read to the end of the connection. It prints {"connections":...,"seconds":...}.
func (t *tlsClient) connections(atOnce int, path string, duration time.Duration) error {
	_, port, err := net.SplitHostPort(t.to)
	if err != nil {
		return err
	}
	// The less the client takes of the processors, the more is left to what is measured.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(clientMemory)
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", path, t.name, port)
	var made atomic.Int64
	var failure atomic.Pointer[error]
	start := time.Now()
	forEach(atOnce, atOnce, func(int) {
		for time.Since(start) < duration && failure.Load() == nil {
			if err := t.once(request); err != nil {
				failure.Store(&err)
				return
			}
			made.Add(1)
		}
	})
	took := time.Since(start)
	if err := failure.Load(); err != nil {
		return fmt.Errorf("after %d connections: %w", made.Load(), *err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"connections": made.Load(), "seconds": took.Seconds()})
}

// once makes a connection with one request.
func (t *tlsClient) once(request []byte) error {
	c, err := t.dial(t.name)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(request); err != nil {
		return err
	}
	answer, err := io.ReadAll(c)
	if err == nil && !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
		err = fmt.Errorf("the server answered %.40q", answer)
	}
	return err
}
