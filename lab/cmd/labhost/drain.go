package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// A drain looks into its sockets at intervals and asks the kernel to discard what is there, so that
// of what is measured beside it it takes as little as a collector on the same machine can.
const (
	drainInterval = 20 * time.Millisecond
	drainBuffer   = 16 << 20 // bytes, of UDP
	drainBatch    = 256      // datagrams received at once
	drainPiece    = 1 << 20  // bytes of a stream discarded at once
)

// runDrain takes what arrives and throws it away.
func runDrain(args []string) error {
	flags := flag.NewFlagSet("drain", flag.ContinueOnError)
	port := flags.Int("port", 514, "port, UDP and TCP")
	if err := flags.Parse(args); err != nil {
		return err
	}
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{Port: *port})
	if err != nil {
		return err
	}
	if err := forceBuffer(udp, drainBuffer); err != nil {
		return err
	}
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{Port: *port})
	if err != nil {
		return err
	}
	go accept(tcp, drainStream)
	return drainDatagrams(udp)
}

// forceBuffer gives a socket a receive buffer that root may make larger than the system's limit.
func forceBuffer(conn *net.UDPConn, bytes int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes)
	})
	return errors.Join(err, failed)
}

// drainDatagrams receives datagrams, of each a byte.
func drainDatagrams(conn *net.UDPConn) error {
	batch := ipv4.NewPacketConn(conn)
	messages := make([]ipv4.Message, drainBatch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, 1)}
	}
	for {
		n, err := batch.ReadBatch(messages, 0)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if n < drainBatch {
			time.Sleep(drainInterval)
		}
	}
}

// drainStream receives a stream without looking at it, until its end.
func drainStream(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, drainPiece) // never written: of TCP, MSG_TRUNC discards what it receives
	for ended := false; !ended; time.Sleep(drainInterval) {
		err := raw.Read(func(fd uintptr) bool {
			n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			ended = n == 0 && err == nil
			return !errors.Is(err, unix.EAGAIN)
		})
		ended = ended || err != nil
	}
}
