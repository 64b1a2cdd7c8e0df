// Package pcap reads packet captures: files in pcap and pcapng format, the link layers around IP
// packets, and the tunnels in which captures are often delivered.
package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Frame is one captured frame.
type Frame struct {
	Time time.Time
	Link LinkType
	// Data is what was captured of the frame. It is valid until the next call of Next.
	Data []byte
}

// maxFrame is the largest frame that is read, in bytes. Larger ones mean that the file is damaged.
const maxFrame = 1 << 20

// ErrFormat says that a file is neither pcap nor pcapng, or is damaged.
var ErrFormat = errors.New("not a pcap or pcapng file")

// Reader reads the frames of a capture, one after the other.
type Reader struct {
	in    *bufio.Reader
	order binary.ByteOrder
	buf   []byte
	next  func() (Frame, error)

	link       LinkType      // of a pcap file
	resolution time.Duration // of the fraction of a second in a pcap file
	interfaces []captured    // of the current section of a pcapng file
}

// The magic numbers at the start of a file, read big endian.
const (
	magicMicro  = 0xa1b2c3d4
	magicNano   = 0xa1b23c4d
	magicPcapng = 0x0a0d0d0a
)

// NewReader reads the header of a capture.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 64<<10)}
	magic, err := r.in.Peek(4)
	if err != nil {
		return nil, ErrFormat
	}
	big, little := binary.BigEndian.Uint32(magic), binary.LittleEndian.Uint32(magic)
	r.resolution = time.Microsecond
	switch {
	case big == magicPcapng:
		r.next = r.nextBlock
		return r, nil
	case big == magicMicro || big == magicNano:
		r.order = binary.BigEndian
	case little == magicMicro || little == magicNano:
		r.order = binary.LittleEndian
	default:
		return nil, ErrFormat
	}
	if big == magicNano || little == magicNano {
		r.resolution = time.Nanosecond
	}
	header, err := r.read(24)
	if err != nil {
		return nil, ErrFormat
	}
	r.link = LinkType(r.order.Uint32(header[20:]) & 0x0fffffff)
	r.next = r.nextRecord
	return r, nil
}

// Next returns the next frame; at the end of the file the error is io.EOF. A file that breaks off
// within a frame ends there.
func (r *Reader) Next() (Frame, error) { return r.next() }

// nextRecord reads a record of a pcap file.
func (r *Reader) nextRecord() (Frame, error) {
	header, err := r.read(16)
	if err != nil {
		return Frame{}, io.EOF
	}
	seconds, fraction := r.order.Uint32(header), r.order.Uint32(header[4:])
	length := r.order.Uint32(header[8:])
	if length > maxFrame {
		return Frame{}, fmt.Errorf("%w: a frame of %d bytes", ErrFormat, length)
	}
	data, err := r.read(int(length))
	if err != nil {
		return Frame{}, io.EOF
	}
	return Frame{time.Unix(int64(seconds), int64(fraction)*int64(r.resolution)), r.link, data}, nil
}

// read returns the next n bytes, which stay valid until the next call.
func (r *Reader) read(n int) ([]byte, error) {
	if n > cap(r.buf) {
		r.buf = make([]byte, n+n/2)
	}
	_, err := io.ReadFull(r.in, r.buf[:n])
	return r.buf[:n], err
}
