package schema

import (
	"encoding"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Every value type of the schema reads and writes the text a user types.
var _ = []interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}{
	new(HostPrefix), new(WildcardMask), new(PortRange), new(Protocol), new(Timeout), new(NextHop), new(DateTime), new(TimeOfDay),
}

// HostPrefix is an address with a prefix length; without one it is a single host. Host bits are
// kept as typed, because the guide prints some.
type HostPrefix struct{ netip.Prefix }

// UnmarshalText reads "192.0.2.0/24", "192.0.2.1" or "default" (0.0.0.0/0).
func (p *HostPrefix) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "default" {
		s = "0.0.0.0/0"
	}
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return fmt.Errorf("%q is not an address or prefix (such as 192.0.2.0/24 or 2001:db8::/32)", s)
		}
		p.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is not an address or prefix (such as 192.0.2.0/24 or 2001:db8::/32)", s)
	}
	p.Prefix = prefix
	return nil
}

// MarshalText writes the prefix with its length.
func (p HostPrefix) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// WildcardMask is an IPv4 address with a mask whose bits need not be contiguous: a bit that is
// one in the mask must be equal.
type WildcardMask struct {
	Addr netip.Addr
	Mask [4]byte
}

// UnmarshalText reads "192.0.2.0/255.255.0.255" or a plain prefix length.
func (w *WildcardMask) UnmarshalText(text []byte) error {
	bad := fmt.Errorf("%q is not a wildcard address (such as 192.0.2.0/255.255.0.255)", text)
	addr, mask, ok := strings.Cut(string(text), "/")
	if !ok {
		return bad
	}
	a, err := netip.ParseAddr(addr)
	if err != nil || !a.Is4() {
		return bad
	}
	w.Addr = a
	if bits, err := strconv.Atoi(mask); err == nil {
		if bits < 0 || bits > 32 {
			return bad
		}
		m := ^uint32(0) << (32 - bits)
		w.Mask = [4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}
		return nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return bad
	}
	w.Mask = m.As4()
	return nil
}

// MarshalText writes address and mask.
func (w WildcardMask) MarshalText() ([]byte, error) {
	return []byte(w.Addr.String() + "/" + netip.AddrFrom4(w.Mask).String()), nil
}

// Contains says whether a matches.
func (w WildcardMask) Contains(a netip.Addr) bool {
	if a = a.Unmap(); !a.Is4() {
		return false
	}
	x, y := a.As4(), w.Addr.As4()
	for i, m := range w.Mask {
		if x[i]&m != y[i]&m {
			return false
		}
	}
	return true
}

// PortRange is a port or a range of ports, both ends included.
type PortRange struct{ Low, High uint16 }

// portNames are the port names the guide's statements may use in place of numbers.
var portNames = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "tacacs": 49, "domain": 53,
	"bootps": 67, "bootpc": 68, "tftp": 69, "finger": 79, "http": 80, "pop3": 110, "ident": 113,
	"nntp": 119, "ntp": 123, "imap": 143, "snmp": 161, "snmptrap": 162, "bgp": 179, "ldap": 389,
	"https": 443, "syslog": 514, "rtsp": 554, "radius": 1812, "radacct": 1813,
}

// UnmarshalText reads "80", "80-90" or a well-known name such as "http".
func (p *PortRange) UnmarshalText(text []byte) error {
	low, high, ranged := strings.Cut(string(text), "-")
	if n, ok := portNames[string(text)]; ok {
		p.Low, p.High = n, n
		return nil
	}
	if !ranged {
		high = low
	}
	l, err1 := strconv.ParseUint(low, 10, 16)
	h, err2 := strconv.ParseUint(high, 10, 16)
	if err1 != nil || err2 != nil || l > h {
		return fmt.Errorf("%q is not a port or port range (0..65535, such as 80 or 8000-8080)", text)
	}
	p.Low, p.High = uint16(l), uint16(h)
	return nil
}

// MarshalText writes one number, or two with a dash.
func (p PortRange) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String is the range as typed.
func (p PortRange) String() string {
	if p.Low == p.High {
		return strconv.Itoa(int(p.Low))
	}
	return fmt.Sprintf("%d-%d", p.Low, p.High)
}

// Contains says whether port lies in the range.
func (p PortRange) Contains(port uint16) bool { return p.Low <= port && port <= p.High }

// Protocol is an IP protocol number (IANA protocol numbers).
type Protocol uint8

// Protocols that sessions are made of.
const (
	ProtoICMP   Protocol = 1
	ProtoTCP    Protocol = 6
	ProtoUDP    Protocol = 17
	ProtoICMPv6 Protocol = 58
)

var protocolNames = map[string]Protocol{
	"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "rsvp": 46, "gre": 47, "esp": 50,
	"ah": 51, "icmp6": 58, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": 132, "udp-lite": 136,
}

// UnmarshalText reads a protocol name or number.
func (p *Protocol) UnmarshalText(text []byte) error {
	if n, ok := protocolNames[strings.ToLower(string(text))]; ok {
		*p = n
		return nil
	}
	n, err := strconv.ParseUint(string(text), 10, 8)
	if err != nil {
		return fmt.Errorf("%q is not an IP protocol (0..255, or a name such as tcp, udp, icmp, icmp6, gre, esp)", text)
	}
	*p = Protocol(n)
	return nil
}

// MarshalText writes the name where there is one.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String is the protocol's name, or its number.
func (p Protocol) String() string {
	for name, n := range protocolNames {
		if n == p {
			return name
		}
	}
	return strconv.Itoa(int(p))
}

// Timeout is a time in whole seconds, or never.
type Timeout time.Duration

// Never is the timeout of a session that does not age.
const Never = Timeout(1<<63 - 1)

// UnmarshalText reads seconds or "never".
func (t *Timeout) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*t = Never
		return nil
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a number of seconds or \"never\"", text)
	}
	*t = Timeout(time.Duration(n) * time.Second)
	return nil
}

// MarshalText writes seconds, or "never".
func (t Timeout) MarshalText() ([]byte, error) {
	if t == Never {
		return []byte("never"), nil
	}
	return strconv.AppendInt(nil, int64(time.Duration(t)/time.Second), 10), nil
}

// NextHop is where a route leads: an address, or an interface.
type NextHop struct {
	Addr      netip.Addr
	Interface string
}

// UnmarshalText reads an address or an interface name.
func (n *NextHop) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil {
		*n = NextHop{Addr: a}
		return nil
	}
	if len(text) == 0 || strings.ContainsAny(string(text), " /\t") && !strings.Contains(string(text), "-") {
		return fmt.Errorf("%q is neither an address nor an interface", text)
	}
	*n = NextHop{Interface: string(text)}
	return nil
}

// MarshalText writes the address or the interface.
func (n NextHop) MarshalText() ([]byte, error) {
	if n.Addr.IsValid() {
		return n.Addr.MarshalText()
	}
	return []byte(n.Interface), nil
}

// DateTime is a moment in local time, to the minute.
type DateTime struct{ time.Time }

const dateTimeLayout = "2006-01-02.15:04"

// UnmarshalText reads YYYY-MM-DD.hh:mm.
func (d *DateTime) UnmarshalText(text []byte) error {
	t, err := time.ParseInLocation(dateTimeLayout, string(text), time.Local)
	if err != nil {
		return fmt.Errorf("%q is not a date and time (YYYY-MM-DD.hh:mm)", text)
	}
	d.Time = t
	return nil
}

// MarshalText writes YYYY-MM-DD.hh:mm.
func (d DateTime) MarshalText() ([]byte, error) { return []byte(d.Format(dateTimeLayout)), nil }

// TimeOfDay is a moment of a day, as the time since midnight.
type TimeOfDay time.Duration

// UnmarshalText reads hh:mm or hh:mm:ss; 24:00 is the end of the day.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	bad := fmt.Errorf("%q is not a time of day (hh:mm or hh:mm:ss)", text)
	parts := strings.Split(string(text), ":")
	if len(parts) < 2 || len(parts) > 3 {
		return bad
	}
	limits := []int{24, 59, 59}
	seconds := 0
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || len(part) != 2 || n < 0 || n > limits[i] {
			return bad
		}
		seconds = seconds*60 + n
	}
	if len(parts) == 2 {
		seconds *= 60
	}
	if seconds > 24*3600 {
		return bad
	}
	*t = TimeOfDay(time.Duration(seconds) * time.Second)
	return nil
}

// MarshalText writes hh:mm, and the seconds where there are any.
func (t TimeOfDay) MarshalText() ([]byte, error) {
	s := int(time.Duration(t) / time.Second)
	if s%60 == 0 {
		return fmt.Appendf(nil, "%02d:%02d", s/3600, s/60%60), nil
	}
	return fmt.Appendf(nil, "%02d:%02d:%02d", s/3600, s/60%60, s%60), nil
}
