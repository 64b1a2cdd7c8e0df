package tls

// recordBatch collects records that are written to the connection together.
type recordBatch struct {
	buffer  []byte // nil, or of getBuffer
	used    int    // bytes of records in the buffer
	payload int    // bytes of payload in those records
	hold    bool   // more is to come: do not write yet
	bulk    bool   // it is more than a record
}

// makeRoom makes sure that the batch takes one more record of up to size bytes of payload, and
// writes what it holds if it does not. It returns how many bytes of payload it wrote.
func (c *Conn) makeRoom(size int) (written int, err error) {
	b := &c.batch
	if b.buffer != nil && len(b.buffer)-b.used < min(size, maxPlaintext)+maxRecordOverhead {
		written, err = c.writeBatch()
	}
	if b.buffer == nil {
		b.buffer = getBuffer(b.bulk || size > maxPlaintext)
	}
	return written, err
}

// next is where the next record goes, with room for its header in use.
func (b *recordBatch) next() []byte { return b.buffer[b.used : b.used+recordHeaderLen] }

// add notes that a record of so many bytes of payload was written where next said.
func (b *recordBatch) add(record []byte, payload int) {
	b.used += len(record)
	b.payload += payload
}

// writeBatch writes the records and gives the buffer back. It returns how many bytes of payload
// were in them.
func (c *Conn) writeBatch() (int, error) {
	b := &c.batch
	if b.buffer == nil {
		return 0, nil
	}
	buffer, used, payload := b.buffer, b.used, b.payload
	b.buffer, b.used, b.payload = nil, 0, 0
	defer putBuffer(buffer)
	if _, err := c.write(buffer[:used]); err != nil {
		return 0, err
	}
	return payload, nil
}
