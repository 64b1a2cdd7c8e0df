package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// Every datagram begins with its run (8 bytes) and its number (8 bytes), so that the receiver
// knows what is missing and ignores what is left of an earlier run.
const blastHeader = 16

// batch is how many datagrams one system call sends or receives.
const batch = 32

// runBlast sends datagrams at a rate and prints {"run":…,"sent":…,"seconds":…}.
func runBlast(args []string) error {
	flags := flag.NewFlagSet("blast", flag.ContinueOnError)
	to := flags.String("to", "", "ADDRESS:PORT of a sink")
	rate := flags.Int("rate", 10000, "packets a second")
	size := flags.Int("size", 64, "bytes of payload, at least 16")
	duration := flags.Duration("time", 3*time.Second, "how long")
	run := flags.Uint64("run", 1, "number that marks these packets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *size < blastHeader || *rate <= 0 {
		return fmt.Errorf("-size must be at least %d and -rate positive", blastHeader)
	}
	c, err := net.Dial("udp", *to)
	if err != nil {
		return err
	}
	defer c.Close()
	// ipv4.PacketConn only lends its sendmmsg; the destination is the connected one, in either family.
	conn := ipv4.NewPacketConn(c.(*net.UDPConn))
	messages := make([]ipv4.Message, batch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, *size)}
	}
	start, sent := time.Now(), uint64(0)
	for total := uint64(float64(*rate) * duration.Seconds()); sent < total; {
		n := min(batch, int(total-sent))
		for i := range n {
			b := messages[i].Buffers[0]
			binary.BigEndian.PutUint64(b, *run)
			binary.BigEndian.PutUint64(b[8:], sent+uint64(i))
		}
		done, err := conn.WriteBatch(messages[:n], 0)
		// A port that is not yet open answers with ICMP; the next send goes on.
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ENOBUFS) {
			return err
		}
		sent += uint64(max(done, 0))
		time.Sleep(time.Until(start.Add(time.Duration(float64(sent) / float64(*rate) * float64(time.Second)))))
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"run": *run, "sent": sent, "seconds": time.Since(start).Seconds()})
}

// runSink receives the datagrams of one run until none has come for a while after the first, and
// prints {"received":…,"highest":…,"reordered":…}.
func runSink(args []string) error {
	flags := flag.NewFlagSet("sink", flag.ContinueOnError)
	port := flags.Int("port", 9999, "UDP port")
	run := flags.Uint64("run", 1, "number that marks the packets to count")
	idle := flags.Duration("idle", time.Second, "end after this long without a packet")
	first := flags.Duration("first", 30*time.Second, "end when no packet comes at all for this long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{Port: *port})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := forceReceiveBuffer(conn, 32<<20); err != nil {
		return err
	}
	messages := make([]ipv4.Message, batch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, 2048)}
	}
	batches := ipv4.NewPacketConn(conn)
	var received, highest, reordered uint64
	for patience := *first; ; {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		n, err := batches.ReadBatch(messages, 0)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
		for _, m := range messages[:n] {
			b := m.Buffers[0]
			if m.N < blastHeader || binary.BigEndian.Uint64(b) != *run {
				continue
			}
			patience = *idle
			received++
			if number := binary.BigEndian.Uint64(b[8:]); number < highest {
				reordered++
			} else {
				highest = number
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"received": received, "highest": highest, "reordered": reordered})
}

// forceReceiveBuffer sets the receive buffer beyond the system's limit, so that the sink itself
// loses nothing.
func forceReceiveBuffer(conn *net.UDPConn, bytes int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, bytes)
	})
	return errors.Join(err, set)
}
