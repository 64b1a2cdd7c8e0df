package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// runEcho serves the behaviours whose port is not 0.
func runEcho(args []string) error {
	flags := flag.NewFlagSet("echo", flag.ContinueOnError)
	echo := flags.Int("echo", 0, "port that sends back what arrives (TCP and UDP)")
	count := flags.Int("count", 0, "TCP port that reads to the end and answers with the number of bytes")
	reset := flags.Int("reset", 0, "TCP port that resets after the first byte")
	silent := flags.Int("silent", 0, "TCP port that never answers")
	who := flags.Int("who", 0, "port that answers with the client's address (TCP and UDP)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tcp := []struct {
		port  int
		serve func(*net.TCPConn)
	}{{*echo, serveEcho}, {*count, serveCount}, {*reset, serveReset}, {*silent, serveSilent}, {*who, serveWho}}
	for _, s := range tcp {
		if s.port == 0 {
			continue
		}
		l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: s.port})
		if err != nil {
			return err
		}
		go accept(l, s.serve)
	}
	udp := []struct {
		port  int
		reply func(payload []byte, from net.Addr) []byte
	}{
		{*echo, func(payload []byte, _ net.Addr) []byte { return payload }},
		{*who, func(_ []byte, from net.Addr) []byte { return []byte(from.String() + "\n") }},
	}
	for _, s := range udp {
		if s.port == 0 {
			continue
		}
		// One socket a family: a dual-stack socket answers from an address of the kernel's
		// choosing, these answer from the one that was asked.
		for _, network := range []string{"udp4", "udp6"} {
			if err := answerUDP(network, s.port, s.reply); err != nil {
				return err
			}
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	return nil
}

// acceptPause is the wait after a failed accept, which only the end of other connections can mend.
const acceptPause = 100 * time.Millisecond

// accept serves every connection of l in a goroutine of its own.
func accept(l *net.TCPListener, serve func(*net.TCPConn)) {
	for {
		c, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "accept:", err)
			time.Sleep(acceptPause)
			continue
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

// serveEcho copies by hand: io.Copy would hold a pipe, two more descriptors, for every idle
// connection.
func serveEcho(c *net.TCPConn) {
	buffer := make([]byte, 2048)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func serveCount(c *net.TCPConn) {
	n, err := io.Copy(io.Discard, c)
	if err == nil {
		fmt.Fprintln(c, n)
	}
}

func serveReset(c *net.TCPConn) {
	_, _ = c.Read(make([]byte, 1))
	_ = c.SetLinger(0) // Close sends RST
}

func serveSilent(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

func serveWho(c *net.TCPConn) { fmt.Fprintln(c, c.RemoteAddr()) }

// answerUDP answers every datagram to port with reply's result, from the address it was sent to.
func answerUDP(network string, port int, reply func([]byte, net.Addr) []byte) error {
	conn, err := net.ListenUDP(network, &net.UDPAddr{Port: port})
	if err != nil {
		return err
	}
	level, option := syscall.IPPROTO_IP, syscall.IP_PKTINFO
	if network == "udp6" {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), level, option, 1) }); err != nil || set != nil {
		return errors.Join(err, set)
	}
	go func() {
		payload, info := make([]byte, 65536), make([]byte, 128)
		for {
			n, m, _, from, err := conn.ReadMsgUDP(payload, info)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				// The packet information that came in names the address to answer from.
				_, _, _ = conn.WriteMsgUDP(reply(payload[:n], from), localOnly(info[:m]), from)
			}
		}
	}()
	return nil
}

// localOnly clears the interface in received packet information, so that the answer is routed by
// the table, and leaves the local address.
func localOnly(info []byte) []byte {
	messages, err := syscall.ParseSocketControlMessage(info)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == syscall.IP_PKTINFO:
			clear(m.Data[0:4]) // ipi_ifindex comes first
		case m.Header.Level == syscall.IPPROTO_IPV6 && m.Header.Type == syscall.IPV6_PKTINFO:
			clear(m.Data[16:20]) // ipi6_ifindex comes last
		}
	}
	return info
}
