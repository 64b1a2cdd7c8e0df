package messaging

// Bare messages of Protocol Buffers (protobuf.dev, "Encoding"). They have no mark, so that only many
// fields that follow each other in order tell them, and only when nothing else claims the session.

import "sluice/classify/decode"

// protobufFirst are the tags of fields 1 to 3 of every kind.
const protobufFirst = "\x08\x09\x0a\x0d\x10\x11\x12\x15\x18\x19\x1a\x1d"

var protobufs = []decode.Decoder{
	{Name: "PROTOBUF", Client: decode.FirstBytes(protobufFirst), Server: decode.FirstBytes(protobufFirst), Stream: protobufStream, Datagram: protobuf},
}

// fields counts the fields that data begins with, and how many of them are texts or messages. rest
// is what remains: nothing when the fields fill data, less than nothing when the last one is cut.
func fields(data []byte) (count, nested, rest int, ok bool) {
	const highest = 256
	last := uint64(1)
	for len(data) > 0 {
		tag, n := varint(data)
		number := tag >> 3
		switch {
		case n == 0:
			return count, nested, -1, true
		case n < 0 || number < last || number > highest:
			return count, nested, len(data), false
		}
		last, data = number, data[n:]
		var size int
		switch tag & 7 {
		case 0:
			_, size = varint(data)
			if size == 0 {
				return count, nested, -1, true
			}
		case 1:
			size = 8
		case 2:
			length, n := varint(data)
			if n == 0 {
				return count, nested, -1, true
			}
			if n < 0 || length == 0 || length > 1<<20 {
				return count, nested, len(data), false
			}
			size = n + int(length)
			nested++
		case 5:
			size = 4
		default:
			return count, nested, len(data), false
		}
		if size < 0 {
			return count, nested, len(data), false
		}
		count++
		if size > len(data) {
			return count, nested, len(data) - size, true
		}
		data = data[size:]
	}
	return count, nested, 0, true
}

// varint reads a number of seven bits a byte. n is 0 when its end is missing, and -1 when it is too
// long.
func varint(data []byte) (value uint64, n int) {
	for i, c := range data[:min(len(data), 10)] {
		value |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return value, i + 1
		}
	}
	if len(data) >= 10 {
		return 0, -1
	}
	return 0, 0
}

const manyFields = 8

// protobufStream wants many fields of the first message.
func protobufStream(_ *decode.Session, client, server []byte) decode.Verdict {
	count, nested, _, ok := fields(decode.Opening(client, server))
	switch {
	case !ok:
		return decode.No
	case count >= manyFields && nested > 0:
		return decode.Maybe
	}
	return decode.More
}

// protobuf wants many fields in one datagram, or some in each of four.
func protobuf(s *decode.Session, data []byte) decode.Verdict {
	count, nested, rest, ok := fields(data)
	switch {
	case !ok || rest != 0 || count < 2 || nested == 0:
		return decode.No
	case count >= manyFields || s.Index >= 3:
		return decode.Maybe
	}
	return decode.More
}
