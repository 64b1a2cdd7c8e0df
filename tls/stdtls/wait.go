package tls

import (
	"bytes"
	"syscall"
)

// WaitReadable waits until Read has something to say without waiting: application data, which may
// be read at once when it returns nil, or the error that it returns. While it waits for a
// *net.TCPConn, or for a connection that offers what it received as a stack.Stream does, the
// connection holds no buffer but for an incomplete record, so that who waits first and then fetches
// a buffer to read into holds nothing while nothing is received.
func (c *Conn) WaitReadable() error {
	if err := c.Handshake(); err != nil {
		return err
	}
	c.in.Lock()
	defer c.in.Unlock()
	err := c.awaitInput()
	if err != nil {
		c.releaseInput() // which nobody asks for after the end
	}
	return err
}

// CloseNotified says whether the peer ended its direction with a close_notify alert. After Read has
// returned io.EOF, false means that the connection below ended without one, which may be an attack
// that cuts data off (RFC 8446 section 6.1).
func (c *Conn) CloseNotified() bool { return c.closeNotifyReceived.Load() }

// CloseNotify ends our direction with a close_notify alert as CloseWrite does. Unlike CloseWrite it
// waits for the alert to be taken as long as a Write waits, and leaves the deadlines alone, so that a
// peer who is slow to take its data is told of the end too.
func (c *Conn) CloseNotify() error {
	if !c.isHandshakeComplete.Load() {
		return errEarlyCloseWrite
	}
	c.out.Lock()
	defer c.out.Unlock()
	if !c.closeNotifySent {
		c.closeNotifySent = true
		c.closeNotifyErr = c.sendAlertLocked(alertCloseNotify)
	}
	return c.closeNotifyErr
}

// awaitInput reads records until there is application data.
func (c *Conn) awaitInput() error {
	for c.input.Len() == 0 {
		if c.hand.Len() == 0 {
			if err := c.readRecord(); err != nil {
				return err
			}
		}
		for c.hand.Len() > 0 {
			if err := c.handlePostHandshakeMessage(); err != nil {
				return err
			}
		}
		c.releaseHand()
	}
	return nil
}

// readBuffered adds to b[n:] the application data of records that are there already. An error comes
// after data, so that the data is returned with it.
func (c *Conn) readBuffered(b []byte, n int) (int, error) {
	c.rawInput.noWait = true
	defer func() { c.rawInput.noWait = false }()
	for n < len(b) && c.input.Len() == 0 && c.hand.Len() == 0 && c.rawInput.Len() > 0 {
		if err := c.readRecord(); err == syscall.EAGAIN {
			break
		} else if err != nil {
			return n, err
		}
		m, _ := c.input.Read(b[n:])
		n += m
	}
	return n, nil
}

// releaseInput gives back the buffer of what was read, if all of it was used.
func (c *Conn) releaseInput() {
	if c.input.Len() == 0 {
		c.input.Reset(nil)
		c.rawInput.release()
	}
}

// releaseHand lets go of the buffer of handshake messages.
func (c *Conn) releaseHand() {
	if c.hand.Len() == 0 && c.hand.Cap() > 0 {
		c.hand = bytes.Buffer{}
	}
}
