package classify

import (
	"slices"

	"sluice/classify/decode"
	"sluice/classify/decode/database"
	"sluice/classify/decode/dns"
	"sluice/classify/decode/file"
	"sluice/classify/decode/game"
	"sluice/classify/decode/industrial"
	"sluice/classify/decode/mail"
	"sluice/classify/decode/messaging"
	"sluice/classify/decode/mgmt"
	"sluice/classify/decode/p2p"
	"sluice/classify/decode/quic"
	"sluice/classify/decode/remote"
	"sluice/classify/decode/tls"
	"sluice/classify/decode/voip"
	"sluice/classify/decode/vpn"
	"sluice/classify/decode/web"
)

// Decoders are all decoders, in the order in which they are asked: those with the strongest
// features first, so that a weak one never hides them.
func Decoders() []decode.Decoder {
	return slices.Concat(
		tls.Decoders,
		quic.Decoders,
		web.Decoders,
		remote.Decoders,
		mail.Decoders,
		vpn.Decoders,
		voip.Decoders,
		p2p.Decoders,
		industrial.Decoders,
		messaging.Decoders,
		game.Decoders,
		database.Decoders,
		file.Decoders,
		mgmt.Decoders,
		dns.Decoders,
	)
}
