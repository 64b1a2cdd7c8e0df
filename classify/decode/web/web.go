// Package web recognises the protocols of the web that are not under encryption.
package web

import "sluice/classify/decode"

// Decoders of this family.
var Decoders = []decode.Decoder{
	{
		Name:   "HTTP",
		Ports:  []uint16{80, 8000, 8080, 8888},
		Client: decode.FirstBytes("ABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n"),
		Server: decode.FirstBytes("H"),
		Stream: http1,
	},
	{Name: "HTTP2", Ports: []uint16{80, 8080}, Client: decode.FirstBytes("P"), Stream: http2},
	{Name: "WEBSOCKET", Client: wsBytes, Server: wsBytes, Stream: websocket},
}
