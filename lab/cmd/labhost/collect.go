package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// maxMessage bounds one syslog message over TCP, in bytes.
const maxMessage = 64 << 10

// runCollect prints each syslog message on a line of its own. Over TCP it takes both framings of
// RFC 6587: octet counting and one message a line.
func runCollect(args []string) error {
	flags := flag.NewFlagSet("collect", flag.ContinueOnError)
	port := flags.Int("port", 514, "port, UDP and TCP")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var mu sync.Mutex
	show := func(message string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(strings.TrimRight(message, "\n"))
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{Port: *port})
	if err != nil {
		return err
	}
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{Port: *port})
	if err != nil {
		return err
	}
	go func() {
		b := make([]byte, maxMessage)
		for {
			n, _, err := udp.ReadFrom(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				show(string(b[:n]))
			}
		}
	}()
	go accept(tcp, func(c *net.TCPConn) {
		if err := readFrames(c, show); err != nil {
			fmt.Fprintln(os.Stderr, "collect:", err)
		}
	})
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	return nil
}

// readFrames calls show for every message of a TCP stream.
func readFrames(r io.Reader, show func(string)) error {
	in := bufio.NewReaderSize(r, maxMessage)
	for {
		first, err := in.Peek(1)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if first[0] == '<' {
			line, err := in.ReadString('\n')
			if err != nil {
				return err
			}
			show(line)
			continue
		}
		length, err := in.ReadString(' ')
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(strings.TrimSpace(length))
		if err != nil || n < 0 || n > maxMessage {
			return fmt.Errorf("bad frame length %q", length)
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(in, message); err != nil {
			return err
		}
		show(string(message))
	}
}
