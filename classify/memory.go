package classify

// memory is what a decoder remembered for this session.
type memory struct {
	decoder int
	value   any
}

// recall returns what decoder i remembered, or nil.
func (w *inspection) recall(i int) any {
	for k := range w.memories {
		if w.memories[k].decoder == i {
			return w.memories[k].value
		}
	}
	return nil
}

// remember replaces what decoder i remembered.
func (w *inspection) remember(i int, value any) {
	for k := range w.memories {
		if w.memories[k].decoder == i {
			w.memories[k].value = value
			return
		}
	}
	if value != nil {
		w.memories = append(w.memories, memory{i, value})
	}
}
