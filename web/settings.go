package web

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// settings passes on what a side says of itself (RFC 9113 section 6.5), but for what the gateway does not
// take: pushes, and tables that would hold too much.
func (h *h2) settings(from Side, f *frame, on [][]byte) ([][]byte, error) {
	if f.flags.Has(http2.FlagSettingsAck) {
		return join(on, f.bytes), nil
	}
	out := f.bytes
	change := func(at int, value uint32) {
		if &out[0] == &f.bytes[0] {
			out = append([]byte(nil), f.bytes...)
		}
		binary.BigEndian.PutUint32(out[at+2:], value)
	}
	pushes := from == Client && h.pushing
	for at := frameHeaderLen; at < len(f.bytes); at += 6 {
		value := binary.BigEndian.Uint32(f.bytes[at+2:])
		switch http2.SettingID(binary.BigEndian.Uint16(f.bytes[at:])) {
		case http2.SettingHeaderTableSize:
			if value > maxTable {
				value = maxTable
				change(at, value)
			}
			h.tableSize(from, value)
		case http2.SettingEnablePush:
			if from == Client {
				if pushes = false; value != 0 {
					change(at, 0)
				}
			}
		case http2.SettingInitialWindowSize:
			if from == Client {
				h.window = int64(value)
			}
		case http2.SettingMaxFrameSize:
			if value < longestFrame || value > 1<<24-1 {
				return on, &Violation{from, "a frame size that cannot be"}
			}
			h.sides[1-from].limit = max(h.sides[1-from].limit, int(value))
		}
	}
	if pushes {
		out = append([]byte(nil), out...)
		out = binary.BigEndian.AppendUint16(out, uint16(http2.SettingEnablePush))
		out = binary.BigEndian.AppendUint32(out, 0)
		length := len(out) - frameHeaderLen
		out[0], out[1], out[2] = byte(length>>16), byte(length>>8), byte(length)
	}
	if from == Client {
		h.pushing = false
	} else {
		h.greeted = true
	}
	return join(on, out), nil
}

// tableSize notes the size of the table that a side allows the other.
func (h *h2) tableSize(from Side, size uint32) {
	if size > 4096 {
		h.sides[1-from].decoder.SetAllowedMaxDynamicTableSize(size)
	}
	switch {
	case from == Client:
		h.table = int(size)
	case h.encoder != nil:
		h.encoder.SetMaxDynamicTableSizeLimit(size)
	}
	if from == Server {
		h.serverTable = size
	}
}
