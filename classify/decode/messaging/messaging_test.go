package messaging

import (
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

// sessions are as the documents of the protocols have them.
var sessions = []Case{
	{"MQTT", 1883, false, []Message{Client("\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd")}, "\x10\x10\x00\x04MQTX\x04\x02\x00\x3c\x00\x04abcd"},
	{"MQTT", 40000, false, []Message{Client("\x10\x12\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x04abcd")}, "\x10\x12\x00\x06MQIsdp\x09\x02\x00\x3c\x00\x04abcd"},
	{"MQTT", 40000, false, []Message{Client("\xc0\x00"), Server("\xd0\x00"), Server("\x30\x07\x00\x03a/bhi")}, "\xc0\x01\x00"},
	{"AMQP", 5672, false, []Message{Client("AMQP\x00\x00\x09\x01")}, "AMQP\x00\x00\x19\x01"},
	{"AMQP", 5671, false, []Message{Client("AMQP\x03\x01\x00\x00")}, "AMQQ\x03\x01\x00\x00"},
	{"AMQP", 5672, false, []Message{Client("\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xce")}, "\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xcf"},
	{"KAFKA", 9092, false, []Message{Client("\x00\x00\x00\x24\x00\x12\x00\x03\x00\x00\x00\x01\x00\x0cconsumer-one\x00")}, "\x00\x00\x00\x24\x01\x12\x00\x03\x00\x00\x00\x01\x00\x0cconsumer-one\x00"},
	{"KAFKA", 9092, false, []Message{Client("\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff"), Server("\x00\x00\x00\x40\x00\x00\x00\x07")}, ""},
	{"NATS", 4222, false, []Message{Server("INFO {\"server_id\":\"X\"}\r\n"), Client("CONNECT {\"verbose\":false}\r\n")}, "CONNECT ["},
	{"STOMP", 61613, false, []Message{Client("CONNECT\naccept-version:1.2\nhost:example\n\n\x00")}, "CONNECT\nfoo-version:1.2\n\n\x00"},
	{"ZEROMQ", 5555, false, []Message{Client("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL")}, "\xff\x00\x00\x00\x01\x00\x00\x00\x01\x7f\x03\x00NULL"},
	{"SMPP", 2775, false, []Message{Client("\x00\x00\x00\x21\x00\x00\x01\x03\x00\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 17))}, "\x00\x00\x00\x21\x00\x00\x02\x03\x00\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 17)},
	{"AMQP", 5672, false, []Message{Client("\x01\x00\x01\x00\x00\x10\x00\x00\x14\x00\x0a" + strings.Repeat("\x00", 4092) + "\xce")}, "\x01\x00\x01\x00\x00\x10\x01\x00\x14\x00\x0a" + strings.Repeat("\x00", 4093) + "\xce"},
	{"PULSAR", 6650, false, []Message{Client("\x00\x00\x00\x14\x00\x00\x00\x10\x08\x02\x12\x0c\x0a\x0a1234567890")}, "\x00\x00\x00\x14\x00\x00\x00\x11\x08\x02\x12\x0c"},
	{"RABBITMQ-STREAM", 5552, false, []Message{Client("\x00\x00\x00\x30\x00\x11\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05")}, "\x00\x00\x00\x30\x00\x13\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05"},
	{"ROCKETMQ", 9876, false, []Message{Client("\x00\x00\x00\x14\x00\x00\x00\x10{\"code\":105,\"x\"}")}, "\x00\x00\x00\x14\x00\x00\x00\x40{\"code\":105,\"x\"}"},
	{"IBM-MQ", 1414, false, []Message{Client("TSH \x00\x00\x01\x0c\x02\x01\x31\x00")}, "TSH \x00\x00\x01\x0c\x07\x01\x31\x00"},
	{"TIBCO-RV", 7500, false, []Message{Client("\x00\x00\x00\x4c\x99\x55\xee\xaa\x06")}, "\x00\x00\x00\x4c\x99\x55\xee\xab\x06"},
	{"MSMQ", 1801, false, []Message{Client("\x10\x00\x0b\x00LIOR\x3c\x02\x00\x00")}, "\x10\x00\x0b\x00LIOS\x3c\x02\x00\x00"},
	{"OPENWIRE", 61616, false, []Message{Server("\x00\x00\x01\x28\x01ActiveMQ\x00\x00\x00\x0c")}, "\x00\x00\x01\x28\x01ActiveMR\x00\x00\x00\x0c"},
	{"ARTEMIS", 61616, false, []Message{Client("ARTEMIS\x00")}, "ARTEMUS"},
	{"NSQ", 4150, false, []Message{Client("  V2IDENTIFY\n")}, "  V3IDENTIFY\n"},
	{"NANOMSG", 40000, false, []Message{Client("\x00SP\x00\x00\x10\x00\x00")}, "\x00SP\x00\x00\x10\x01\x00"},
	{"CORBA", 2809, false, []Message{Client("GIOP\x01\x02\x01\x00\x24\x00\x00\x00")}, "GIOP\x02\x02\x01\x00\x24\x00\x00\x00"},
	{"JRMI", 1099, false, []Message{Client("JRMI\x00\x02\x4b")}, "JRMI\x00\x02\x4f"},
	{"FIX", 9878, false, []Message{Client("8=FIX.4.4\x019=65\x0135=A\x0149=X\x01")}, "8=FIX.4.4\x0135=A\x019=65\x01"},
	{"SMPP", 2775, false, []Message{Client("\x00\x00\x00\x21\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01user\x00pw\x00\x00")}, "\x00\x00\x00\x21\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x01user\x00"},
	{"XMPP", 5222, false, []Message{Client("<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")}, "<?xml version='1.0'?><html><head></head><body>a page that is longer than the opening of a stream would be, with nothing of it</body>"},
	{"IRC", 6667, false, []Message{Client("NICK joe\r\nUSER joe 0 * :Joe\r\n")}, "NICK joe\r\nQUOTA joe\r\n"},
	{"IRC", 40000, false, []Message{Server(":irc.example.org NOTICE * :*** Looking up your hostname\r\n")}, ""},
	{"OSCAR", 5190, false, []Message{Client("\x2a\x01\x12\x34\x00\x04\x00\x00\x00\x01")}, "\x2a\x02\x12\x34\x00\x04\x00\x00\x00\x01"},
	{"MSN-MESSENGER", 1863, false, []Message{Client("VER 1 MSNP18 MSNP17 CVR0\r\n")}, "VER 1 ABC\r\n"},
	{"YAHOO-MESSENGER", 5050, false, []Message{Client("YMSG\x00\x10\x00\x00\x00\x00")}, "YMSH\x00\x10\x00\x00\x00\x00"},
	{"GADU-GADU", 8074, false, []Message{Server("\x01\x00\x00\x00\x04\x00\x00\x00\x12\x34\x56\x78"), Client("\x31\x00\x00\x00\x60\x00\x00\x00")}, ""},
	{"TELEGRAM", 443, false, []Message{Client("\xef\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x5a\x11\x22\x65\x14\x00\x00\x00\xf1\x8e\x7e\xbe0123456789abcdef")}, "\xef\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x5a\x11\x22\x65\x14\x00\x00\x00\xf1\x8e\x7e\xbf0123456789abcdef"},
	{"KAKAOTALK", 5242, false, []Message{Client("\x00\x01\x00\x00\x0c\x00\x00\x00\x02\x00\x00\x00" + strings.Repeat("\x5a", 16))}, "\x00\x01\x00\x00\x0c\x00\x00\x00\x09\x00\x00\x00" + strings.Repeat("\x5a", 16)},
	{"WECHAT", 8080, false, []Message{Client("\x16\xf1\x03\x00\x04abcd\x17\xf1\x03\x00\x02ab")}, "\x16\xf1\x05\x00\x04abcd"},
	{"MIPUSH", 5222, false, []Message{Client("\xc2\xfe\x00\x05\x00\x00\x00\x40\x00\x02")}, "\xc2\xfe\x01\x05\x00\x00\x00\x40\x00\x02"},
	{"ALICLOUD", 8999, false, []Message{Client("\xce\xfa\xbe\xba\x80\x00\x00\x00")}, "\xce\xfa\xbe\xbb\x80\x00\x00\x00"},
	{"DINGTALK", 443, false, []Message{Client("\x10\x64\x01\x02\x01\x00\x01\x00\x02\x00\x02dk\x03")}, "\x10\x64\x01\x02\x01\x00\x01\x00\x02\x00\x02dl\x03"},
	{"THREEMA", 5222, false, []Message{Client(strings.Repeat("\x91", 48)), Server(strings.Repeat("\x92", 80))}, "<stream:stream>"},
	{"LOTUS-NOTES", 1352, false, []Message{Client("\x7c\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x40\x02\x0f")}, "\x7c\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x40\x02\x0e"},
	{"AKKA", 25520, false, []Message{Client("AKKA\x01")}, "AKKB\x01"},
}

func TestSessions(t *testing.T) { Cases(t, Decoders, sessions) }

// The domain of a stream is told, and where encryption begins, the bytes after it are handed on.
func TestXMPP(t *testing.T) {
	opening := "<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	features := "<?xml version='1.0'?><stream:stream from='example.org' id='1' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
	ask, granted := "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	o := Run(Decoders, TCP(5222), Client(opening), Server(features), Client(ask), Server(granted))
	if got := o.Value(decode.MessagingHost); got != "example.org" {
		t.Errorf("host %q", got)
	}
	if o.Tunnel == nil || *o.Tunnel != [2]int{len(opening + ask), len(features + granted)} || !o.Upgrade {
		t.Errorf("encryption: %v", o.Tunnel)
	}
}

// JSON-RPC is only likely, as other protocols are made of it.
func TestJSONRPC(t *testing.T) {
	if o := Run(Decoders, TCP(4000), Client(`{"jsonrpc":"2.0","method":"a","id":1}`)); o.Verdict != decode.Maybe || o.Name != "JSON-RPC" {
		t.Errorf("%s, %v", o.Name, o.Verdict)
	}
}

// Datagrams of QQ and of CORBA.
func TestDatagrams(t *testing.T) {
	Datagrams(t, Decoders, 8000, "OICQ", Client("\x02\x11\x0b\x00\x02\x00\x01\x00\x12\xd6\x87\x00\x00\x00\x00\x00\x00\x03"))
	Datagrams(t, Decoders, 15984, "CORBA", Client("MIOP\x10\x03\x20\x00\x00\x00\x00\x00\x01\x00\x00\x00"))
	if o := Run(Decoders, UDP(8000), Client("\x02\x11\x0b\x00\x02\x00\x01\x00\x12\xd6\x87\x00\x00\x00\x00\x00\x00\x04")); o.Verdict >= decode.Maybe {
		t.Errorf("a datagram without an end is recognised as %s", o.Name)
	}
}

// An empty line opens no session of IRC.
func TestIRCEmptyLine(t *testing.T) {
	for _, first := range []string{"\r\n", "\n:"} {
		meta := TCP(6667)
		s := decode.NewSession(&meta, nil)
		if got := irc(&s, []byte(first), nil); got != decode.No {
			t.Errorf("%q: %v", first, got)
		}
	}
}

// The name of an IRC server is text, and no longer than names are.
func TestIRCServerName(t *testing.T) {
	for _, name := range []string{"irc\x00example.org", strings.Repeat("irc.", 80)} {
		Stream(t, Decoders, 6667, "", Server(":"+name+" NOTICE * :*** Looking up your hostname\r\n"))
	}
}

// A request of Kafka that is said to be 16 MiB long opens no session, whether its name is there or not.
func TestKafkaTooLong(t *testing.T) {
	const request = "\x01\x00\x00\x24\x00\x12\x00\x03\x00\x00\x00\x01\x00\x0cconsumer-one\x00"
	for _, n := range []int{6, len(request)} {
		if got := kafka(nil, []byte(request[:n]), nil); got != decode.No {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
}

func FuzzDecoders(f *testing.F) { Fuzz(f, Decoders, Seeds(sessions)...) }
