package track

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// The history keeps a session as bytes: a version, then the fields in the order of codec.session,
// numbers as varints and strings with their length. A later version may add fields at the end; a
// record that ends early leaves the remaining fields empty.
const codecVersion = 1

var errRecord = errors.New("the stored record is damaged")

// codec writes or reads a session; one description of the fields serves both.
type codec struct {
	buf     []byte // written, or still to be read
	reading bool
	damaged bool
}

func encodeSession(dst []byte, s *Session) []byte {
	c := codec{buf: append(dst, codecVersion)}
	c.session(s)
	return c.buf
}

func decodeSession(data []byte) (s Session, err error) {
	if len(data) == 0 || data[0] != codecVersion {
		return s, errRecord
	}
	c := codec{buf: data[1:], reading: true}
	c.session(&s)
	if c.damaged {
		return Session{}, errRecord
	}
	return s, nil
}

func (c *codec) session(s *Session) {
	c.uint(&s.ID)
	c.endpoint(&s.Source)
	c.endpoint(&s.Destination)
	c.endpoint(&s.NATSource)
	c.endpoint(&s.NATDestination)
	c.byte(&s.Protocol)
	c.byte(&s.ICMPType)
	c.byte(&s.Risk)
	for _, n := range []*uint64{
		&s.PacketsFromClient, &s.BytesFromClient, &s.PacketsFromServer, &s.BytesFromServer, &s.UplinkTxBytes, &s.UplinkRxBytes,
	} {
		c.uint(n)
	}
	c.time(&s.Start)
	elapsed := uint64(s.Elapsed)
	c.uint(&elapsed)
	s.Elapsed = time.Duration(elapsed)
	for _, text := range []*string{
		&s.SourceNATRule, &s.DestinationNATRule, &s.Policy, &s.FromZone, &s.ToZone, &s.User, &s.Roles,
		&s.Service, &s.Application, &s.NestedApplication, &s.Category, &s.SubCategory, &s.Characteristics, &s.Encrypted,
		&s.IngressInterface, &s.EgressInterface, &s.RoutingInstance, &s.RoutingProfile, &s.RoutingRule, &s.RoutingPolicy,
		&s.RoutingRuleType, &s.DSCP, &s.WebFilterCategory, &s.MultipathRule, &s.UplinkInterface, &s.SourceVRF, &s.DestinationVRF,
		&s.LastEgressInterface, &s.LastUplinkInterface,
	} {
		c.string(text)
	}
	c.byte((*uint8)(&s.SSL.Origin))
	for _, text := range []*string{&s.SSL.Profile, &s.SSL.SNI, &s.SSL.Category, &s.SSL.URL} {
		c.string(text)
	}
}

func (c *codec) uint(v *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	*v = 0
	if len(c.buf) == 0 || c.damaged {
		return
	}
	value, n := binary.Uvarint(c.buf)
	if n <= 0 {
		c.damaged = true
		return
	}
	*v, c.buf = value, c.buf[n:]
}

func (c *codec) byte(v *uint8) {
	wide := uint64(*v)
	c.uint(&wide)
	if wide > 0xff {
		c.damaged = true
	}
	*v = uint8(wide)
}

// bytes reads or writes a length and that many bytes.
func (c *codec) bytes(v []byte) []byte {
	n := uint64(len(v))
	c.uint(&n)
	if !c.reading {
		c.buf = append(c.buf, v...)
		return v
	}
	if n > uint64(len(c.buf)) {
		c.damaged = true
		return nil
	}
	v, c.buf = c.buf[:n], c.buf[n:]
	return v
}

func (c *codec) string(v *string) {
	if c.reading {
		*v = string(c.bytes(nil))
		return
	}
	n := uint64(len(*v))
	c.uint(&n)
	c.buf = append(c.buf, *v...)
}

// endpoint is an address of 0 (none), 4 or 16 bytes and a port.
func (c *codec) endpoint(v *netip.AddrPort) {
	if !c.reading {
		var raw [16]byte
		a := v.Addr()
		switch {
		case a.Is4():
			four := a.As4()
			c.bytes(append(raw[:0], four[:]...))
		case a.Is6():
			raw = a.As16()
			c.bytes(raw[:])
		default:
			c.bytes(nil)
		}
	}
	var addr netip.Addr
	if c.reading {
		if raw := c.bytes(nil); len(raw) > 0 {
			var ok bool
			if addr, ok = netip.AddrFromSlice(raw); !ok {
				c.damaged = true
			}
		}
	}
	port := uint64(v.Port())
	c.uint(&port)
	if c.reading {
		*v = netip.AddrPortFrom(addr, uint16(port))
	}
}

// time is a moment in nanoseconds since 1970; 0 is none.
func (c *codec) time(v *time.Time) {
	var n uint64
	if !v.IsZero() {
		n = uint64(v.UnixNano())
	}
	c.uint(&n)
	if c.reading && n != 0 {
		*v = time.Unix(0, int64(n))
	}
}
