package tls

import (
	"crypto/cipher"
	"net"
)

// MaxPieces bounds the records that ReadRecords returns at once.
const MaxPieces = 64

// piecesWriter collects slices.
type piecesWriter [][]byte

func (p *piecesWriter) Write(b []byte) (int, error) {
	*p = append(*p, b)
	return len(b), nil
}

// ReadRecords waits as WaitReadable does and appends to pieces the application data of the records
// that are there, a piece for each record, without copying it: up to 128 KiB. The pieces are valid
// until ReleaseRecords, which must be called before the connection is read again.
//
// Together with WriteRecords it moves data between two connections without a buffer in between.
func (c *Conn) ReadRecords(pieces [][]byte) ([][]byte, error) {
	if err := c.WaitReadable(); err != nil {
		return pieces, err
	}
	c.in.Lock()
	defer c.in.Unlock()
	c.rawInput.noWait = true
	defer func() { c.rawInput.noWait = false }()
	collected := piecesWriter(pieces)
	for size := 0; ; {
		size += c.input.Len()
		if _, err := c.input.WriteTo(&collected); err != nil {
			return collected, err
		}
		if len(collected) == MaxPieces || size > bulkBufferSize-2*maxPlaintext || c.rawInput.Len() == 0 || c.hand.Len() > 0 {
			return collected, nil
		}
		// What ends the data, the next call tells.
		if err := c.readRecord(); err != nil {
			return collected, nil
		}
	}
}

// ReleaseRecords gives back the buffer of the pieces that ReadRecords returned.
func (c *Conn) ReleaseRecords() {
	c.in.Lock()
	defer c.in.Unlock()
	c.input.Reset(nil)
	c.rawInput.shrink()
}

// WriteRecords writes each piece as a record, or more if it is larger than a record, and as many
// records as possible at once. As soon as it does not need the pieces any more it calls taken,
// which is before the last write. It returns an error if not all was written; no
// other write succeeds then.
func (c *Conn) WriteRecords(pieces [][]byte, taken func()) error {
	if err := c.Handshake(); err != nil {
		return err
	}
	if !c.enterWrite() {
		return net.ErrClosed
	}
	defer c.activeCall.Add(-2)
	c.out.Lock()
	defer c.out.Unlock()
	switch {
	case c.out.err != nil:
		return c.out.err
	case !c.isHandshakeComplete.Load():
		return alertInternalError
	case c.closeNotifySent:
		return errShutdown
	}
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	c.batch.hold, c.batch.bulk = true, size > maxPlaintext
	defer func() { c.batch.hold, c.batch.bulk = false, false }()
	for i, piece := range pieces {
		if _, cbc := c.out.cipher.(cipher.BlockMode); cbc && i == 0 && c.vers == VersionTLS10 && len(piece) > 1 {
			// As in Write: the IV of what follows must not be known before.
			if _, err := c.writeRecordLocked(recordTypeApplicationData, piece[:1]); err != nil {
				return c.out.setErrorLocked(err)
			}
			piece = piece[1:]
		}
		if _, err := c.writeRecordLocked(recordTypeApplicationData, piece); err != nil {
			return c.out.setErrorLocked(err)
		}
	}
	taken()
	if _, err := c.writeBatch(); err != nil {
		return c.out.setErrorLocked(err)
	}
	return nil
}

// enterWrite notes that a write is under way, which Close does not wait for. It returns false after
// Close.
func (c *Conn) enterWrite() bool {
	for {
		x := c.activeCall.Load()
		if x&1 != 0 {
			return false
		}
		if c.activeCall.CompareAndSwap(x, x+2) {
			return true
		}
	}
}
