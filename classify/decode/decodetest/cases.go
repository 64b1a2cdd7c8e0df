package decodetest

import (
	"testing"

	"sluice/classify/decode"
)

// Case is a session as the document of a protocol has it. It is an alias so that tables of many need not
// name its fields.
type Case = struct {
	// Name of the protocol as which it must be recognised.
	Name string
	// Port that the client calls.
	Port uint16
	// UDP makes the messages datagrams.
	UDP      bool
	Messages []Message
	// Miss is nearly the first message, sent by the same side alone. It must not be recognised.
	Miss string
}

// Cases checks that a table recognises each session, whole and in pieces, that the beginning of its
// first message is never taken for another protocol, and that the near miss is not recognised.
func Cases(t *testing.T, table []decode.Decoder, cases []Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			meta := TCP(c.Port)
			if c.UDP {
				meta = UDP(c.Port)
				Datagrams(t, table, c.Port, c.Name, c.Messages...)
			} else {
				Stream(t, table, c.Port, c.Name, c.Messages...)
			}
			first := c.Messages[0]
			if o := Run(table, meta, Message{first.From, []byte(c.Miss)}); o.Verdict >= decode.Maybe {
				t.Errorf("near miss recognised as %s", o.Name)
			}
			for n := 1; n < len(first.Data); n++ {
				if o := Run(table, meta, Message{first.From, first.Data[:n]}); o.Verdict >= decode.Match && o.Name != c.Name {
					t.Errorf("its first %d bytes are taken for %s", n, o.Name)
				}
			}
		})
	}
}

// Seeds are the messages of cases, for fuzz targets.
func Seeds(cases []Case) (seeds [][]byte) {
	for _, c := range cases {
		for _, m := range c.Messages {
			seeds = append(seeds, m.Data)
		}
	}
	return seeds
}
