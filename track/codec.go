package track

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// The history keeps records in batches, as bytes: a version, then of each record its length and its
// fields in the order of codec.entry, numbers as varints. A string stands in its batch once; where it
// comes again there is its number. A later version may add fields at the end; a record that ends early
// leaves the remaining fields empty.
const codecVersion = 2

var errRecord = errors.New("the stored records are damaged")

// codec writes or reads the records of a batch; one description of the fields serves both.
type codec struct {
	buf     []byte // written, or still to be read of a record
	reading bool
	damaged bool
	numbers map[string]uint64 // of the strings written so far, from 1
	words   []string          // read so far
	last    int64             // time of the record before, Unix nanoseconds
	scratch []byte
}

// encodeBatch appends records to dst, using c's memory.
func (c *codec) encodeBatch(dst []byte, batch []*record) []byte {
	clear(c.numbers)
	if c.numbers == nil {
		c.numbers = make(map[string]uint64)
	}
	c.last, c.reading = 0, false
	dst = append(dst, codecVersion)
	var e Entry // a copy, as others read the record meanwhile
	for _, r := range batch {
		c.buf = c.scratch[:0]
		e.Tag, e.Time, e.Reason, e.Session = r.tag, r.time, r.reason, r.Session
		c.entry(&e)
		dst = append(binary.AppendUvarint(dst, uint64(len(c.buf))), c.buf...)
		c.scratch = c.buf
	}
	return dst
}

// decodeBatch reads what encodeBatch wrote, the oldest record first; their numbers begin with first.
func decodeBatch(data []byte, first int64) ([]Entry, error) {
	if len(data) == 0 || data[0] != codecVersion {
		return nil, errRecord
	}
	c := codec{reading: true}
	var entries []Entry
	for data = data[1:]; len(data) > 0; first++ {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return nil, errRecord
		}
		c.buf = data[n : n+int(size)]
		entries = append(entries, Entry{Number: first})
		e := &entries[len(entries)-1]
		if c.entry(e); c.damaged {
			return nil, errRecord
		}
		data = data[n+int(size):]
	}
	return entries, nil
}

// entry is a record, but for its number.
func (c *codec) entry(e *Entry) {
	c.byte((*uint8)(&e.Tag))
	nanos := e.Time.UnixNano()
	since := uint64(nanos-c.last)<<1 ^ uint64((nanos-c.last)>>63) // small numbers of either sign are short
	c.uint(&since)
	if c.reading {
		nanos = c.last + (int64(since>>1) ^ -int64(since&1))
		e.Time = time.Unix(0, nanos)
	}
	c.last = nanos
	c.string(&e.Reason)
	c.session(&e.Session)
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

// string is 0 for none, the number of a string that came before, or the next number and the string.
func (c *codec) string(v *string) {
	if c.reading {
		c.readString(v)
		return
	}
	var n uint64
	if *v == "" {
		c.uint(&n)
		return
	}
	n, known := c.numbers[*v]
	if known {
		c.uint(&n)
		return
	}
	n = uint64(len(c.numbers)) + 1
	c.numbers[*v] = n
	c.uint(&n)
	size := uint64(len(*v))
	c.uint(&size)
	c.buf = append(c.buf, *v...)
}

func (c *codec) readString(v *string) {
	var n uint64
	c.uint(&n)
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
