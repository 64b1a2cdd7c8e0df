package decode

// Opening is what the client sent, or what the server sent as long as the client is silent.
func Opening(client, server []byte) []byte {
	if len(client) > 0 {
		return client
	}
	return server
}

// If is Match when ok holds, and No otherwise.
func If(ok bool) Verdict {
	if ok {
		return Match
	}
	return No
}

// Magic is the verdict on data that must begin with want.
func Magic(data []byte, want string) Verdict {
	switch Prefix(data, want) {
	case Whole:
		return Match
	case Partly:
		return More
	}
	return No
}

// Known turns More into No, for datagrams, to which nothing is added.
func Known(v Verdict) Verdict {
	if v == More {
		return No
	}
	return v
}

// Starts is a stream that begins, from either side, with one of the texts.
func Starts(texts ...string) StreamFunc {
	return func(_ *Session, client, server []byte) Verdict {
		data := Opening(client, server)
		for _, text := range texts {
			if v := Magic(data, text); v != No {
				return v
			}
		}
		return No
	}
}
