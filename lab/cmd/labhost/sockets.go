package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// enabled is what the environment must have for the standard library to speak WebSockets over HTTP/2.
const enabled = "http2xconnect=1"

// longestFrame bounds the payload of a frame that is sent back.
const longestFrame = 1 << 20

// runSockets serves HTTPS: an empty page everywhere, and WebSockets over HTTP/2 (RFC 8441) whose frames come
// back as they were sent. It prints a line for each request.
func runSockets(args []string) error {
	flags := flag.NewFlagSet("sockets", flag.ContinueOnError)
	listen := flags.String("listen", ":9445", "ADDRESS:PORT to listen on")
	certificate := flags.String("certificate", "", "file with the server's certificate")
	key := flags.String("key", "", "file with its key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !strings.Contains(os.Getenv("GODEBUG"), enabled) {
		return fmt.Errorf("without GODEBUG=%s there are no WebSockets over HTTP/2: set it in the environment", enabled)
	}
	return http.ListenAndServeTLS(*listen, *certificate, *key, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol := r.Header.Get(":protocol")
		fmt.Println(r.Proto, r.Method, protocol, r.URL.Path)
		if protocol != "websocket" {
			w.Header().Set("Content-Type", "text/html")
			return
		}
		w.WriteHeader(http.StatusOK)
		if err := echoFrames(r.Body, w); err != nil && !errors.Is(err, io.EOF) {
			fmt.Fprintln(os.Stderr, "a WebSocket:", err)
		}
	}))
}

// echoFrames sends the frames of a WebSocket's client (RFC 6455 section 5.2) back, up to the one that closes it.
func echoFrames(from io.Reader, to http.ResponseWriter) error {
	in := bufio.NewReader(from)
	for {
		if err := http.NewResponseController(to).Flush(); err != nil {
			return err
		}
		var start [2]byte
		if _, err := io.ReadFull(in, start[:]); err != nil {
			return err
		}
		length := uint64(start[1] & 0x7f)
		extended := make([]byte, map[uint64]int{126: 2, 127: 8}[length])
		if _, err := io.ReadFull(in, extended); err != nil {
			return err
		}
		switch len(extended) {
		case 2:
			length = uint64(binary.BigEndian.Uint16(extended))
		case 8:
			length = binary.BigEndian.Uint64(extended)
		}
		if start[1]&0x80 == 0 || length > longestFrame {
			return fmt.Errorf("a frame of %d bytes, or without a mask", length)
		}
		frame := make([]byte, 4+length)
		if _, err := io.ReadFull(in, frame); err != nil {
			return err
		}
		mask, payload := frame[:4], frame[4:]
		for i := range payload {
			payload[i] ^= mask[i%4]
		}
		if _, err := to.Write(append(append([]byte{start[0], start[1] & 0x7f}, extended...), payload...)); err != nil {
			return err
		}
		if start[0]&0xf == 8 {
			return nil
		}
	}
}
