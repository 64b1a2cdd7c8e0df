package mgmt

// Basic encoding rules (ITU-T X.690), as far as message headers need them.

import "sluice/classify/decode"

// Tags.
const (
	tagInteger  = 0x02
	tagOctets   = 0x04
	tagEnum     = 0x0a
	tagSequence = 0x30
)

// element is one element of which the beginning is there.
type element struct {
	tag     byte
	length  int    // of its content
	content []byte // what there is of it
	rest    []byte // what follows it
}

// whole says whether all of the content is there.
func (e *element) whole() bool { return len(e.content) == e.length }

// readElement reads the element at the start of data. part is Partly while its header has no end;
// its content may still be incomplete when it is Whole.
func readElement(data []byte) (e element, part decode.Part) {
	if len(data) < 2 {
		return e, decode.Partly
	}
	e.tag, e.length = data[0], int(data[1])
	data = data[2:]
	if n := e.length - 0x80; n >= 0 {
		if n == 0 || n > 4 {
			return e, decode.None
		}
		if len(data) < n {
			return e, decode.Partly
		}
		e.length = 0
		for _, c := range data[:n] {
			e.length = e.length<<8 | int(c)
		}
		if e.length > 1<<30 {
			return e, decode.None
		}
		data = data[n:]
	}
	e.content = data[:min(len(data), e.length)]
	e.rest = data[len(e.content):]
	return e, decode.Whole
}

// integer reads an integer of up to 32 bits from data; it must be whole.
func integer(data []byte) (value int, rest []byte, part decode.Part) {
	e, part := readElement(data)
	switch {
	case part == decode.Partly && (len(data) == 0 || data[0] == tagInteger), part == decode.Whole && e.tag == tagInteger && e.length > 0 && e.length <= 5 && !e.whole():
		return 0, nil, decode.Partly
	case part != decode.Whole || e.tag != tagInteger || e.length == 0 || e.length > 5:
		return 0, nil, decode.None
	}
	for _, c := range e.content {
		value = value<<8 | int(c)
	}
	return value, e.rest, decode.Whole
}
