package track

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"
)

// The history keeps records in batches, as bytes: a version, then of each record its length, a mask
// that says which fields differ from the record before, and these in the order of codec.entry,
// numbers as varints. A string stands in its batch once; where it comes again there is its number.
//
// Version 2 had no masks: a record had all its fields, and one that ended early left the rest empty.
const (
	codecVersion     = 3
	codecVersionFull = 2
)

var errRecord = errors.New("the stored records are damaged")

// codec writes or reads the records of a batch; one description of the fields serves both.
type codec struct {
	buf     []byte // fields of a record: written so far, or still to be read
	mask    uint64 // of the record: bit n says that its field n differs from that of before
	field   uint64 // bit of the next field
	before  Entry  // the record before
	full    bool   // what is read is of version 2
	reading bool
	damaged bool
	numbers map[string]uint64 // of the strings written so far, from 1
	words   []string          // read so far
}

// begin starts a batch at the end of dst.
func (c *codec) begin(dst []byte) []byte {
	clear(c.numbers)
	if c.numbers == nil {
		c.numbers = make(map[string]uint64)
	}
	c.before = Entry{Time: time.Unix(0, 0)}
	return append(dst, codecVersion)
}

// encode appends e to the batch that dst ends with.
func (c *codec) encode(dst []byte, e *Entry) []byte {
	c.buf = c.buf[:0]
	c.entry(e)
	var head [2 * binary.MaxVarintLen64]byte
	mask := binary.AppendUvarint(head[:binary.MaxVarintLen64], c.mask)[binary.MaxVarintLen64:]
	dst = binary.AppendUvarint(dst, uint64(len(mask)+len(c.buf)))
	return append(append(dst, mask...), c.buf...)
}

// decodeBatch reads what begin and encode wrote, the oldest record first; their numbers begin with first.
func decodeBatch(data []byte, first int64) ([]Entry, error) {
	if len(data) == 0 || data[0] != codecVersion && data[0] != codecVersionFull {
		return nil, errRecord
	}
	c := codec{reading: true, full: data[0] == codecVersionFull, before: Entry{Time: time.Unix(0, 0)}}
	var entries []Entry
	for data = data[1:]; len(data) > 0; first++ {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return nil, errRecord
		}
		c.buf = data[n : n+int(size)]
		entries = append(entries, Entry{Number: first})
		e := &entries[len(entries)-1]
		if c.mask = math.MaxUint64; !c.full {
			c.number(&c.mask)
		}
		if c.entry(e); c.damaged || len(c.buf) > 0 && !c.full {
			return nil, errRecord
		}
		data = data[n+int(size):]
	}
	return entries, nil
}

// entry is a record, but for its number.
func (c *codec) entry(e *Entry) {
	b := &c.before
	if c.field = 1; !c.reading {
		c.mask = 0
	}
	c.byte((*uint8)(&e.Tag), uint8(b.Tag))
	c.since(&e.Time, b.Time)
	c.string(&e.Reason, b.Reason)
	c.session(&e.Session, &b.Session)
	*b = *e
}

func (c *codec) session(s, before *Session) {
	c.uint(&s.ID, before.ID)
	c.endpoint(&s.Source, before.Source)
	c.endpoint(&s.Destination, before.Destination)
	c.endpoint(&s.NATSource, before.NATSource)
	c.endpoint(&s.NATDestination, before.NATDestination)
	c.byte(&s.Protocol, before.Protocol)
	c.byte(&s.ICMPType, before.ICMPType)
	c.byte(&s.Risk, before.Risk)
	was := before.amounts()
	for i, n := range s.amounts() {
		c.uint(n, *was[i])
	}
	c.time(&s.Start, before.Start)
	elapsed := uint64(s.Elapsed)
	c.uint(&elapsed, uint64(before.Elapsed))
	s.Elapsed = time.Duration(elapsed)
	names := before.names()
	for i, text := range s.names() {
		c.string(text, *names[i])
	}
	c.byte((*uint8)(&s.SSL.Origin), uint8(before.SSL.Origin))
	decrypted := before.SSL.names()
	for i, text := range s.SSL.names() {
		c.string(text, *decrypted[i])
	}
	c.qos(s, before)
}

// qos are the fields of a message of AppQoS; no other has one.
func (c *codec) qos(s, before *Session) {
	var q, was QoS
	if s.QoS != nil {
		q = *s.QoS
	}
	if before.QoS != nil {
		was = *before.QoS
	}
	earlier := was.names()
	for i, text := range q.names() {
		c.string(text, *earlier[i])
	}
	if c.reading && q != (QoS{}) {
		s.QoS = &q
	}
}

// amounts are the fields of s that count.
func (s *Session) amounts() [6]*uint64 {
	return [...]*uint64{
		&s.PacketsFromClient, &s.BytesFromClient, &s.PacketsFromServer, &s.BytesFromServer, &s.UplinkTxBytes, &s.UplinkRxBytes,
	}
}

// names are the fields of s that are text, but for those of SSL.
func (s *Session) names() [29]*string {
	return [...]*string{
		&s.SourceNATRule, &s.DestinationNATRule, &s.Policy, &s.FromZone, &s.ToZone, &s.User, &s.Roles,
		&s.Service, &s.Application, &s.NestedApplication, &s.Category, &s.SubCategory, &s.Characteristics, &s.Encrypted,
		&s.IngressInterface, &s.EgressInterface, &s.RoutingInstance, &s.RoutingProfile, &s.RoutingRule, &s.RoutingPolicy,
		&s.RoutingRuleType, &s.DSCP, &s.WebFilterCategory, &s.MultipathRule, &s.UplinkInterface, &s.SourceVRF, &s.DestinationVRF,
		&s.LastEgressInterface, &s.LastUplinkInterface,
	}
}

// names are the fields of s that are text.
func (s *SSL) names() [4]*string { return [...]*string{&s.Profile, &s.SNI, &s.Category, &s.URL} }

// present says whether the next field stands in the record. Writing, that is where it differs.
func (c *codec) present(differs bool) bool {
	bit := c.field
	c.field <<= 1
	if c.reading {
		return c.mask&bit != 0
	}
	if differs {
		c.mask |= bit
	}
	return differs
}

// number is a varint that always stands there.
func (c *codec) number(v *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	*v = 0
	if c.damaged || len(c.buf) == 0 {
		c.damaged = c.damaged || !c.full
		return
	}
	value, n := binary.Uvarint(c.buf)
	if n <= 0 {
		c.damaged = true
		return
	}
	*v, c.buf = value, c.buf[n:]
}

func (c *codec) uint(v *uint64, before uint64) {
	if c.present(*v != before) {
		c.number(v)
	} else {
		*v = before
	}
}

func (c *codec) byte(v *uint8, before uint8) {
	wide := uint64(*v)
	c.uint(&wide, uint64(before))
	if wide > 0xff {
		c.damaged = true
	}
	*v = uint8(wide)
}

// bytes reads or writes a length and that many bytes.
func (c *codec) bytes(v []byte) []byte {
	n := uint64(len(v))
	c.number(&n)
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

// string is 0 for none, the number of a string that came before, or the next number and the string.
func (c *codec) string(v *string, before string) {
	switch {
	case !c.present(*v != before):
		*v = before
	case c.reading:
		c.readString(v)
	default:
		c.writeString(*v)
	}
}

func (c *codec) writeString(v string) {
	n, known := c.numbers[v]
	if known || v == "" {
		c.number(&n)
		return
	}
	n = uint64(len(c.numbers)) + 1
	c.numbers[v] = n
	c.number(&n)
	size := uint64(len(v))
	c.number(&size)
	c.buf = append(c.buf, v...)
}

func (c *codec) readString(v *string) {
	var n uint64
	c.number(&n)
	switch next := uint64(len(c.words)) + 1; {
	case n == 0:
		*v = ""
	case n < next:
		*v = c.words[n-1]
	case n == next:
		*v = string(c.bytes(nil))
		c.words = append(c.words, *v)
	default:
		c.damaged = true
	}
}

// endpoint is an address of 0 (none), 4 or 16 bytes and a port.
func (c *codec) endpoint(v *netip.AddrPort, before netip.AddrPort) {
	switch {
	case !c.present(*v != before):
		*v = before
	case c.reading:
		c.readEndpoint(v)
	default:
		c.writeEndpoint(*v)
	}
}

func (c *codec) writeEndpoint(v netip.AddrPort) {
	switch a := v.Addr(); {
	case a.Is4():
		four := a.As4()
		c.buf = append(append(c.buf, 4), four[:]...)
	case a.Is6():
		sixteen := a.As16()
		c.buf = append(append(c.buf, 16), sixteen[:]...)
	default:
		c.buf = append(c.buf, 0)
	}
	c.buf = binary.AppendUvarint(c.buf, uint64(v.Port()))
}

func (c *codec) readEndpoint(v *netip.AddrPort) {
	var addr netip.Addr
	if raw := c.bytes(nil); len(raw) > 0 {
		var ok bool
		if addr, ok = netip.AddrFromSlice(raw); !ok {
			c.damaged = true
		}
	}
	var port uint64
	c.number(&port)
	*v = netip.AddrPortFrom(addr, uint16(port))
}

// since is the time since that of the record before, in nanoseconds; it always stands there.
func (c *codec) since(v *time.Time, before time.Time) {
	last := before.UnixNano()
	d := v.UnixNano() - last
	n := uint64(d)<<1 ^ uint64(d>>63) // small numbers of either sign are short
	c.present(true)
	c.number(&n)
	if c.reading {
		*v = time.Unix(0, last+(int64(n>>1)^-int64(n&1)))
	}
}

// time is a moment in nanoseconds since 1970; 0 is none.
func (c *codec) time(v *time.Time, before time.Time) {
	n := nanoseconds(*v)
	c.uint(&n, nanoseconds(before))
	if c.reading {
		if *v = (time.Time{}); n != 0 {
			*v = time.Unix(0, int64(n))
		}
	}
}

// nanoseconds is t since 1970; 0 for the zero time.
func nanoseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}
