package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// runFlood sends SYNs to one address and port from every address of a documentation prefix and
// many ports, through a raw socket, and prints {"sent":…,"seconds":…}.
func runFlood(args []string) error {
	flags := flag.NewFlagSet("flood", flag.ContinueOnError)
	to := flags.String("to", "", "ADDRESS:PORT (IPv4)")
	from := flags.String("from", "192.0.2.64/26", "prefix of the source addresses (IPv4)")
	count := flags.Int("count", 200000, "SYNs, each from another address and port")
	rate := flags.Int("rate", 50000, "SYNs a second, 0 for as fast as possible")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := netip.ParseAddrPort(*to)
	if err != nil || !target.Addr().Is4() {
		return fmt.Errorf("-to %q is not an IPv4 ADDRESS:PORT", *to)
	}
	sources, err := netip.ParsePrefix(*from)
	if err != nil || !sources.Addr().Is4() || sources.Bits() < 8 {
		return fmt.Errorf("-from %q is not an IPv4 prefix of /8 or longer", *from)
	}
	if !documentation(target.Addr()) || !documentation(sources.Addr()) {
		return fmt.Errorf("only documentation addresses are flooded, not %v from %v", target, sources)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return os.NewSyscallError("raw socket", err)
	}
	defer unix.Close(fd)
	start, sent := time.Now(), 0
	hosts := 1 << (32 - sources.Bits())
	for i := range *count {
		packet := synPacket(sourceOf(sources, i%hosts), uint16(1024+i/hosts%60000), target, uint32(i))
		if err := unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: target.Addr().As4()}); err == nil {
			sent++
		} else if err != unix.ENOBUFS {
			return os.NewSyscallError("sendto", err)
		}
		if *rate > 0 && i%100 == 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(*rate))))
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"sent": sent, "seconds": time.Since(start).Seconds()})
}

// documentation says whether a is of a prefix reserved for documentation (RFC 5737).
func documentation(a netip.Addr) bool {
	for _, p := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}

// sourceOf is the n-th address of prefix.
func sourceOf(prefix netip.Prefix, n int) netip.Addr {
	b := prefix.Masked().Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
	return netip.AddrFrom4(b)
}

// synPacket is an IPv4 packet with a TCP SYN and no options. The kernel fills in the IP checksum.
func synPacket(source netip.Addr, port uint16, target netip.AddrPort, sequence uint32) []byte {
	const ipLen, tcpLen = 20, 20
	p := make([]byte, ipLen+tcpLen)
	p[0] = 0x45
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	p[8], p[9] = 64, unix.IPPROTO_TCP
	src, dst := source.As4(), target.Addr().As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])

	tcp := p[ipLen:]
	binary.BigEndian.PutUint16(tcp[0:], port)
	binary.BigEndian.PutUint16(tcp[2:], target.Port())
	binary.BigEndian.PutUint32(tcp[4:], sequence)
	tcp[12], tcp[13] = tcpLen/4<<4, 0x02 // data offset, SYN
	binary.BigEndian.PutUint16(tcp[14:], 64240)
	binary.BigEndian.PutUint16(tcp[16:], checksum(p[12:20], tcp))
	return p
}

// checksum is the TCP checksum over the addresses and the segment.
func checksum(addresses, segment []byte) uint16 {
	sum := uint32(unix.IPPROTO_TCP) + uint32(len(segment))
	for _, part := range [][]byte{addresses, segment} {
		for i := 0; i < len(part); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(part[i:]))
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
