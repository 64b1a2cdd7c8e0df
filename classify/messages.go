package classify

// Message shows the head of a message of a session whose messages are told apart elsewhere, so that
// each request is a transaction, whatever bodies lie in between. A request of HTTP/2 is shown as if it
// were the first of its connection. It says whether the answer changed.
func (f *Flow) Message(d Direction, head []byte) (changed bool) {
	w := f.arrive()
	if w == nil {
		return false
	}
	w.session.Framed = true
	return f.Stream(d, head)
}
