package mgmt

import (
	"hash/crc32"
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

func zeros(n int) string { return strings.Repeat("\x00", n) }

// be16 and be32 are big-endian integers.
func be16(v int) string { return string([]byte{byte(v >> 8), byte(v)}) }
func be32(v int) string { return be16(v>>16) + be16(v) }

// tlv is an element of BER with a short length, or one of two bytes.
func tlv(tag byte, content string) string {
	if len(content) < 0x80 {
		return string([]byte{tag, byte(len(content))}) + content
	}
	return string([]byte{tag, 0x82}) + be16(len(content)) + content
}

const (
	bootp     = "\x01\x01\x06\x00"
	nbEncoded = " EGFCEFEECACACACACACACACACACACACA\x00"
)

var (
	asReq = tlv(0x6a, tlv(0x30, "\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a"+tlv(0xa4, strings.Repeat("x", 100))))
	krErr = tlv(0x7e, tlv(0x30, "\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e"))
	bind  = tlv(0x30, "\x02\x01\x01"+tlv(0x60, "\x02\x01\x03\x04\x00\x80\x00"))
	srch  = tlv(0x30, "\x02\x01\x07"+tlv(0x63, "\x04\x00\x0a\x01\x00\x0a\x01\x00"))
	get   = tlv(0x30, "\x02\x01\x01\x04\x06public"+tlv(0xa0, "\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x00"))
	slpV2 = "\x02\x01\x00\x00\x31\x20\x00\x00\x00\x00\x00\x01\x00\x02en" + zeros(33)
	ntpQ  = "\x23" + zeros(39) + "\xe1\x02\x03\x04\x05\x06\x07\x08"
	ntpA  = "\x24\x01\x03\xe7" + zeros(20) + "\xe1\x02\x03\x04\x05\x06\x07\x08" + strings.Repeat("\xe1\x02\x03\x05", 4)
	ad    = "\x45\x00" + be16(20) + zeros(16)
)

// nrpePacket is a version 2 query with its check sum.
func nrpePacket() string {
	packet := []byte("\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00_NRPE_CHECK" + zeros(1036-21))
	sum := crc32.ChecksumIEEE(packet)
	copy(packet[4:], be32(int(sum)))
	return string(packet)
}

func dceBind(uuid string) string {
	return "\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00\x01\x00\x00\x00\xd0\x16\xd0\x16\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00" + uuid + zeros(24)
}

const mapi = "\x00\xdb\xf1\xa4\x47\xca\x67\x10\xb3\x1f\x00\xdd\x01\x06\x62\xda"

func TestDatagrams(t *testing.T) {
	ptp := "\x00\x02\x00\x2c" + zeros(28) + "\x00\x00" + zeros(10)
	v5 := "\x00\x05\x00\x01" + zeros(20+48)
	ipfix := "\x00\x0a" + be16(16+12) + zeros(12) + "\x00\x02\x00\x0c" + zeros(8)
	v9 := "\x00\x09\x00\x01" + zeros(16) + "\x00\x00\x00\x0c" + zeros(8)
	sflow := "\x00\x00\x00\x05\x00\x00\x00\x01\xc0\x00\x02\x01" + zeros(12) + "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x08" + zeros(8)
	radius := "\x01\x07" + be16(20+6+6) + zeros(16) + "\x01\x06user\x04\x06\xc0\x00\x02\x01"
	dgm := "\x11\x0a\x00\x01\xc0\x00\x02\x0a\x00\x8a\x00\x80\x00\x00" + nbEncoded + nbEncoded + "\xffSMB\x25"
	wol := strings.Repeat("\xff", 6) + strings.Repeat("\x02\x00\x5e\x10\x00\x01", 16)
	ldp := "\x00\x01\x00\x1e\xc0\x00\x02\x01\x00\x00\x01\x00\x00\x14" + zeros(4+16)
	rip := "\x02\x02\x00\x00\x00\x02\x00\x00\xc6\x33\x64\x00" + zeros(11) + "\x01"
	dce := "\x04\x00\x28\x00\x10\x00\x00\x00" + zeros(16) + "\x01\x00\xa0\xde\x97\x6c\xd1\x11\x82\x71\x00\xa0\x24\x42\xdf\x7d" + zeros(34) + "\x04\x00" + zeros(4) + "abcd"
	mon := "\x00\x00\x00\x08web\x00\x00\x08\x00\x0c" + zeros(8)
	hsrp := "\x00\x00\x10\x03\x0a\x64\x01\x00cisco\x00\x00\x00\xc0\x00\x02\x01"
	for _, c := range []struct {
		name     string
		port     uint16
		messages []Message
	}{
		{"DHCP", 67, []Message{Client(bootp + zeros(232) + "\x63\x82\x53\x63\x35\x01\x01\x3c\x04abcd\xff")}},
		{"DHCPV6", 547, []Message{Client("\x01\x11\x22\x33\x00\x01\x00\x0a\x00\x03\x00\x01\x02\x00\x5e\x10\x00\x01")}},
		{"NAT-PMP", 5351, []Message{Client("\x00\x00")}},
		{"PCP", 5351, []Message{Client("\x02\x01\x00\x00" + zeros(56))}},
		{"NTP", 123, []Message{Client(ntpQ)}},
		{"IPERF", 4000, []Message{Client("9876"), Server("6789")}},
		{"IPERF", 5201, []Message{Client("\x15\xcd\x5b\x07"), Server("\xb1\x68\xde\x3a")}},
		{"IPERF", 4000, []Message{Client("\x00\x00\x00\x01\x65\x03\x69\xa3\x00\x0c\xa8\x3f\x00\x00\x00\x00\x48\x01\x00\x98\x00\x00\x00\x01\x00\x00\x0f\xa0" + zeros(8) + "\xff\xff\xff\x9c" + zeros(64))}},
		{"IPERF", 5001, []Message{Client("\x00\x00\x00\x00\x65\x03\x69\xa3\x00\x0c\xa8\x3f\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x13\x89" + zeros(8) + "\xff\xff\xfc\x18456789")}},
		{"NTP", 4000, []Message{Client(ntpQ), Server(ntpA)}},
		{"PTP", 319, []Message{Client(ptp)}},
		{"ROUGHTIME", 2002, []Message{Client("\x02\x00\x00\x00\x04\x00\x00\x00NONCPAD\xff" + zeros(12))}},
		{"TIME", 37, []Message{Client("x"), Server("\xe9\x00\x00\x01")}},
		{"DAYTIME", 13, []Message{Client("x"), Server("Tuesday, February 22, 1982 17:37:43-PST\r\n")}},
		{"NETBIOS-NS", 137, []Message{Client("\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00" + nbEncoded + "\x00\x20\x00\x01")}},
		{"NETBIOS-DGM", 138, []Message{Client(dgm)}},
		{"SSDP", 1900, []Message{Client("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n")}},
		{"SSDP", 4000, []Message{Client("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: a UPnP/1.0 b\r\n\r\n")}},
		{"WSD", 3702, []Message{Client(`<?xml version="1.0"?><s:Envelope xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">`)}},
		{"SLP", 427, []Message{Client(slpV2)}},
		{"UNIFI", 10001, []Message{Client("\x01\x00\x00\x00")}},
		{"UNIFI", 4000, []Message{Client("\x02\x06\x00\x0d\x01\x00\x06\x02\x00\x5e\x10\x00\x01\x0b\x00\x01a")}},
		{"MIKROTIK-MNDP", 5678, []Message{Client("\x00\x00\x00\x01\x00\x01\x00\x06\x02\x00\x5e\x10\x00\x01\x00\x05\x00\x01a")}},
		{"TIVOCONNECT", 2190, []Message{Client("TiVoConnect=1\nMethod=broadcast\n")}},
		{"WAKE-ON-LAN", 9, []Message{Client(wol)}},
		{"SNMP", 161, []Message{Client(get)}},
		{"SNMP-TRAP", 162, []Message{Client(strings.Replace(get, "\xa0", "\xa7", 1))}},
		{"SNMP", 161, []Message{Client(tlv(0x30, "\x02\x01\x03"+tlv(0x30, "\x02\x01\x01\x02\x02\x05\xdc\x04\x01\x04\x02\x01\x03")+"\x04\x00\x30\x00"))}},
		{"ASF", 623, []Message{Client("\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00")}},
		{"IPMI", 623, []Message{Client("\x06\x00\xff\x07\x00" + zeros(8) + "\x09\x20\x18\xc8\x81\x00\x38\x8e\x04\xb5")}},
		{"IPMI", 623, []Message{Client("\x06\x00\xff\x07\x06\x10" + zeros(8) + "\x04\x00abcd")}},
		{"COLLECTD", 25826, []Message{Client(mon)}},
		{"STATSD", 8125, []Message{Client("page.views:1|c|@0.1\nload:3.2|g")}},
		{"GRAPHITE", 2003, []Message{Client("servers.web1.load 0.42 1400000000\n")}},
		{"GANGLIA", 8649, []Message{Client("\x00\x00\x00\x80\x00\x00\x00\x04web1\x00\x00\x00\x04load" + zeros(8))}},
		{"RIPE-ATLAS", 4000, []Message{Client("MGLNDD_192.0.2.1_33000")}},
		{"NETFLOW", 2055, []Message{Client(v5)}},
		{"NETFLOW", 2055, []Message{Client(v9)}},
		{"IPFIX", 4739, []Message{Client(ipfix)}},
		{"SFLOW", 6343, []Message{Client(sflow)}},
		{"SYSLOG", 514, []Message{Client("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - failed")}},
		{"SYSLOG", 4000, []Message{Client("<34>Oct 11 22:14:15 mymachine su: failed")}},
		{"SYSLOG", 4000, []Message{Client("<189>29: *Mar  1 18:46:11: %SYS-5-CONFIG_I")}},
		{"SYSLOG", 514, []Message{Client("<13>any words")}},
		{"GELF", 12201, []Message{Client(`{"version":"1.1","host":"a","short_message":"b"}`)}},
		{"GELF", 4000, []Message{Client("\x1e\x0f12345678\x00\x02data")}},
		{"DCE-RPC", 34964, []Message{Client(dce)}},
		{"CONSUL", 8301, []Message{Client("\x00\x82\xa5SeqNo\x01\xa4Node\xa1a")}},
		{"KERBEROS", 88, []Message{Client(asReq)}},
		{"KERBEROS", 4000, []Message{Client(krErr)}},
		{"KPASSWD", 464, []Message{Client(be16(6+len(asReq)) + "\x00\x01" + be16(len(asReq)) + asReq)}},
		{"CLDAP", 389, []Message{Client(srch)}},
		{"RADIUS", 1812, []Message{Client(radius)}},
		{"RADIUS", 4000, []Message{Client(radius)}},
		{"LDP", 646, []Message{Client(ldp)}},
		{"BFD", 3784, []Message{Client("\x20\x40\x03\x18\x00\x00\x00\x01" + zeros(16))}},
		{"RIP", 520, []Message{Client(rip)}},
		{"RIPNG", 521, []Message{Client("\x02\x01\x00\x00" + zeros(18) + "\x40\x01")}},
		{"BABEL", 6696, []Message{Client("\x2a\x02\x00\x08\x04\x06\x00\x00\x00\x01\x01\x90")}},
		{"OLSR", 698, []Message{Client(be16(4+16) + "\x00\x01\x01\x86\x00\x10" + zeros(12))}},
		{"DLEP", 854, []Message{Client("DLEP\x00\x01\x00\x06\x00\x04\x00\x02\x00a")}},
		{"HSRP", 1985, []Message{Client(hsrp)}},
		{"HSRP", 1985, []Message{Client("\x01\x28\x02\x00\x05\x04" + zeros(36))}},
		{"GLBP", 3222, []Message{Client("\x01\x00\x00\x01" + zeros(8) + "\x01\x04ab")}},
		{"WCCP", 2048, []Message{Client("\x00\x00\x00\x0a\x02\x00\x00\x08" + zeros(8))}},
		{"CPHA", 8116, []Message{Client("\x1a\x90\x0c\x31" + zeros(40))}},
		{"ICP", 3130, []Message{Client("\x01\x02\x00\x18" + zeros(20))}},
		{"PFCP", 8805, []Message{Client("\x20\x01\x00\x0c\x00\x00\x01\x00\x00\x60\x00\x04" + zeros(4))}},
		{"LISP", 4342, []Message{Client("\x80\x00\x00\x00" + ad)}},
		{"LISP", 4341, []Message{Client(zeros(8) + ad)}},
		{"LWAPP", 12223, []Message{Client("\x00\x00\x00\x04\x00\x00abcd")}},
		{"TZSP", 37008, []Message{Client("\x01\x00\x00\x01\x0a\x01\xc8\x01frame")}},
		{"BJNP", 8611, []Message{Client("BJNP\x01\x01" + zeros(10))}},
		{"CUPS-BROWSE", 631, []Message{Client("6 3 ipp://192.0.2.1:631/printers/a \"hall\" \"laser\"\n")}},
		{"CHARGEN", 19, []Message{Client("x"), Server("!\"#$%&'()*+,-./0123456789:;<=>?@ABC")}},
		{"ECHO", 7, []Message{Client("hello"), Server("hello")}},
	} {
		Datagrams(t, Decoders, c.port, c.name, c.messages...)
	}
}

func TestStreams(t *testing.T) {
	bgpOpen := strings.Repeat("\xff", 16) + "\x00\x1d\x01\x04\xfd\xe8\x00\xb4\xc0\x00\x02\x01\x00"
	diameter := "\x01\x00\x00\x28\x80\x00\x01\x01" + zeros(12) + "\x00\x00\x01\x08\x40\x00\x00\x0cmme1" + zeros(8)
	tacacs := func(seq byte) string {
		return "\xc0\x01" + string(seq) + "\x00\x11\x22\x33\x44\x00\x00\x00\x08" + zeros(8)
	}
	for _, c := range []struct {
		name     string
		port     uint16
		messages []Message
	}{
		{"KERBEROS", 88, []Message{Client(be32(len(asReq)) + asReq)}},
		{"KERBEROS", 88, []Message{Client(be32(len(asReq)) + asReq), Server(be32(len(krErr)) + krErr)}},
		{"KPASSWD", 464, []Message{Client(be32(6+len(asReq)) + be16(6+len(asReq)) + "\xff\x80" + be16(len(asReq)) + asReq)}},
		{"LDAP", 389, []Message{Client(bind)}},
		{"LDAP", 389, []Message{Client("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x63\x84\x00\x00\x00\x07\x04\x00\x0a\x01\x00\x0a\x01")}},
		{"DIAMETER", 3868, []Message{Client(diameter)}},
		{"TACACS", 49, []Message{Client(tacacs(1))}},
		{"TACACS", 4000, []Message{Client(tacacs(1)), Server(tacacs(2))}},
		{"SNMP", 161, []Message{Client(get)}},
		{"AGENTX", 705, []Message{Client("\x01\x01\x10\x00" + zeros(12) + be32(16) + zeros(16))}},
		{"ZABBIX", 10051, []Message{Client("ZBXD\x01\x05\x00\x00\x00\x00\x00\x00\x00hello")}},
		{"NAGIOS-NRPE", 5666, []Message{Client(nrpePacket())}},
		{"CHECKMK", 6556, []Message{Server("<<<check_mk>>>\nVersion: 2.0\n")}},
		{"MUNIN", 4949, []Message{Server("# munin node at a.example\n")}},
		{"GRAPHITE", 2003, []Message{Client("servers.web1.load 0.42 1400000000\n")}},
		{"OOKLA", 8080, []Message{Client("HI\n"), Server("HELLO 2.4 2016-10-06.1324.996ab91\n")}},
		{"OOKLA", 8080, []Message{Client("HI 8e17cb65-c6b5-4b39-adcc-97006a1e4537\n"), Server("HELLO 2.9 (2.9.2)\n")}},
		{"KISMET", 2501, []Message{Server("*KISMET: 0.0.0 1144004381\n")}},
		{"LIVESTATUS", 6557, []Message{Client("GET hosts\nColumns: name\n\n")}},
		{"NUT", 3493, []Message{Client("LIST UPS\n")}},
		{"APC-UPS", 3551, []Message{Client("\x00\x06status")}},
		{"IPERF", 5201, []Message{Client("abcdefghijklmnopqrstuvwxyz2345672345\x00"), Server("\x09")}},
		{"IPERF", 5201, []Message{Client("abcdefghijklmnopqrstuvwxyz2345672345\x00\x93\x1b\x78")}},
		{"IPERF", 4000, []Message{Client("\x40\x01\x00\x78\x00\x00\x00\x01\x00\x00\x0f\xa0\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\x9c" + zeros(96))}},
		{"IPERF", 5001, []Message{Client("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x13\x89\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xfc\x18456789")}},
		{"IPERF", 4000, []Message{Client("\x44\x01\x00\x78\x00\x00\x00\x01\x00\x00\x0f\xa0" + zeros(8) + "\xff\xff\xff\x9c"), Server("\x00\x00\x00\x02")}},
		{"LDAP", 389, []Message{Client("\x30\x05\x02\x01\x01\x42\x00")}},
		{"SYSLOG", 601, []Message{Client("<34>Oct 11 22:14:15 mymachine su: failed\n")}},
		{"SYSLOG", 4000, []Message{Client("58 <34>1 2003-10-11T22:14:15.003Z a su - - - failed")}},
		{"RELP", 2514, []Message{Client("1 open 85 relp_version=0\n")}},
		{"GELF", 12201, []Message{Client("{\"version\":\"1.1\",\"host\":\"a\",\"short_message\":\"b\"}\x00")}},
		{"", 12201, []Message{Client("{\"version\":\"1.1\",\"host\":\"a\"}\x00{\"short_message\":\"b\"}\x00")}},
		{"LUMBERJACK", 5044, []Message{Client("2W\x00\x00\x00\x0a2C\x00\x00\x01\x00")}},
		{"FLUENTD", 24224, []Message{Server("\x92\xa4HELO\x83")}},
		{"FLUENTD", 24224, []Message{Client("\x93\xa7app.log\xd7\x00" + zeros(8))}},
		{"SPLUNK-S2S", 9997, []Message{Client("--splunk-cooked-mode-v3--")}},
		{"DCE-RPC", 135, []Message{Client(dceBind(mapi))}},
		{"BGP", 179, []Message{Client(bgpOpen)}},
		{"LDP", 646, []Message{Client("\x00\x01\x00\x20\xc0\x00\x02\x01\x00\x00\x02\x00\x00\x16" + zeros(22))}},
		{"MSDP", 639, []Message{Client("\x04\x00\x03")}},
		{"PCEP", 4189, []Message{Client("\x20\x01\x00\x0c\x01\x10\x00\x08\x20\x1e\x78\x01")}},
		{"BMP", 11019, []Message{Client("\x03\x00\x00\x00\x0c\x04\x00\x02\x00\x02r1")}},
		{"RPKI-RTR", 323, []Message{Client("\x01\x02\x00\x00\x00\x00\x00\x08")}},
		{"DLEP", 854, []Message{Client("\x00\x01\x00\x10\x00\x05\x00\x04\x00\x00\xea\x60\x00\x04\x00\x04\x00abc")}},
		{"OPENFLOW", 6653, []Message{Client("\x04\x00\x00\x08\x00\x00\x00\x01")}},
		{"OPENFLOW", 4000, []Message{Client("\x04\x00\x00\x10\x00\x00\x00\x01\x00\x01\x00\x08\x00\x00\x00\x10"), Server("\x04\x00\x00\x08\x00\x00\x00\x01")}},
		{"OVSDB", 6640, []Message{Client(`{"id":0,"method":"list_dbs","params":[]}`)}},
		{"", 6640, []Message{Client(`{"id":0,"jsonrpc":"2.0","method":"list_dbs","params":[]}`)}},
		{"LPD", 515, []Message{Client("\x02raw\n")}},
		{"PJL", 9100, []Message{Client("\x1b%-12345X@PJL JOB\r\n")}},
		{"SANE", 6566, []Message{Client("\x00\x00\x00\x00\x01\x00\x00\x03\x00\x00\x00\x04abc\x00")}},
		{"IDENT", 113, []Message{Client("6193, 23\r\n")}},
		{"", 113, []Message{Client("0193, 23\r\n")}},
		{"IDENT", 4000, []Message{Client("6193, 23\r\n"), Server("6193, 23 : USERID : UNIX : stjohns\r\n")}},
		{"GOPHER", 7070, []Message{Client("\r\n"), Server("0About\t/about\tgopher.example.com\t70\r\n")}},
		{"", 7070, []Message{Client("\r\n"), Server("0\x01bout\t/about\tgopher.example.com\t70\r\n")}},
		{"DICT", 2628, []Message{Server("220 dict.example.com dictd 1.12 <auth.mime> <100@dict.example.com>\r\n")}},
		{"WHOIS", 43, []Message{Client("example.com\r\n"), Server("no such name\r\n")}},
		{"WHOIS", 4000, []Message{Client("example.com\r\n"), Server("% IANA WHOIS server\r\n")}},
		{"FINGER", 79, []Message{Client("\r\n"), Server("Login     Name       Tty      Idle\r\n")}},
		{"CHARGEN", 19, []Message{Server("!\"#$%&'()*+,-./0123456789:;<=>?@ABC")}},
		{"ECHO", 7, []Message{Client("hello"), Server("hello")}},
		{"TIME", 37, []Message{Server("\xe9\x00\x00\x01")}},
		{"DAYTIME", 13, []Message{Server("59000 17-09-04 12:00:00 50 0 0 0.0 UTC(NIST) *\n")}},
		{"SLP", 427, []Message{Client(slpV2)}},
	} {
		Stream(t, Decoders, c.port, c.name, c.messages...)
	}
}

func TestTold(t *testing.T) {
	o := Run(Decoders, UDP(67), Client(bootp+zeros(232)+"\x63\x82\x53\x63\x35\x01\x01\x3c\x04abcd\xff"))
	if o.Value(decode.DHCPClass) != "abcd" {
		t.Errorf("DHCP: %q", o.Values)
	}
	if o = Stream(t, Decoders, 135, "DCE-RPC", Client(dceBind(mapi))); o.Carries != "MAPI" {
		t.Errorf("DCE-RPC carries %q", o.Carries)
	}
	if o = Run(Decoders, UDP(1900), Client("NOTIFY * HTTP/1.1\r\nServer: a UPnP/1.0 b\r\n\r\n")); o.Value(decode.SSDPServer) != "a UPnP/1.0 b" {
		t.Errorf("SSDP: %q", o.Values)
	}
}

// LDAP goes on under TLS behind the answer to its request.
func TestLDAPStartTLS(t *testing.T) {
	ask := tlv(0x30, "\x02\x01\x01"+tlv(0x77, tlv(0x80, "1.3.6.1.4.1.1466.20037")))
	answer := tlv(0x30, "\x02\x01\x01"+tlv(0x78, "\x0a\x01\x00\x04\x00\x04\x00"))
	o := Stream(t, Decoders, 389, "LDAPS", Client(ask), Server(answer), Client("\x16\x03\x01\x00\x05"))
	if o.Tunnel == nil || *o.Tunnel != [2]int{len(ask), len(answer)} || !o.Upgrade {
		t.Errorf("TLS at %v", o.Tunnel)
	}
}

// Near misses, each wrong in one place, and the traffic of others.
func TestOthers(t *testing.T) {
	for _, c := range []struct {
		meta     decode.Meta
		messages []Message
	}{
		{UDP(67), []Message{Client(bootp + zeros(232) + "\x63\x82\x53\x64")}},
		{UDP(547), []Message{Client("\x01\x11\x22\x33\x00\x01\x00\x0b\x00\x03\x00\x01\x02\x00\x5e\x10\x00\x01")}},
		{UDP(4000), []Message{Client(ntpQ), Server(strings.Replace(ntpA, "\x08", "\x09", 1))}},
		{UDP(123), []Message{Client("\x03" + zeros(47))}},
		{UDP(319), []Message{Client("\x00\x02\x00\x2b" + zeros(40))}},
		{UDP(53), []Message{Client("\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00" + nbEncoded + "\x00\x21\x00\x01")}},
		{UDP(4000), []Message{Client("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
		{UDP(161), []Message{Client(get + "x")}},
		{UDP(5201), []Message{Client("9876"), Server("9877")}},
		{UDP(5001), []Message{Client("\x00\x00\x00\x00\x65\x03\x69\xa3\x00\x0f\x42\x40" + zeros(4) + "\x00\x00\x00\x01\x00\x00\x13\x89" + zeros(8) + "\xff\xff\xfc\x18456789")}},
		{TCP(5001), []Message{Client(zeros(4) + "\x00\x00\x00\x01\x00\x00\x13\x8a" + zeros(8) + "\xff\xff\xfc\x18")}},
		{TCP(5201), []Message{Client("abcdefgabcdefgabcdefgabcdefgabcdefga\x00"), Server("\x09")}},
		{TCP(389), []Message{Client("\x30\x05\x02\x01\x01\x42\x01")}},
		{UDP(161), []Message{Client(strings.Replace(get, "\x02\x01\x01", "\x02\x01\x07", 1))}},
		{UDP(623), []Message{Client("\x06\x00\xff\x06\x00\x00\x11\xbf\x80\x00\x00\x00")}},
		{UDP(8125), []Message{Client("page:one|c")}},
		{UDP(2055), []Message{Client("\x00\x05\x00\x02" + zeros(20+48))}},
		{UDP(514), []Message{Client("<192>Oct 11 22:14:15 a")}},
		{UDP(4000), []Message{Client("<13>any words")}},
		{UDP(88), []Message{Client(asReq[:len(asReq)-1])}},
		{UDP(4000), []Message{Client("\x01\x07\x00\x20" + zeros(16) + "\x01\x06user\x04\x07\xc0\x00\x02\x01")}},
		{UDP(646), []Message{Client("\x00\x01\x00\x1f\xc0\x00\x02\x01\x00\x00\x01\x00\x00\x14" + zeros(20))}},
		{UDP(8805), []Message{Client("\x20\x32\x00\x0c\x00\x00\x01\x00\x00\x60\x00\x04" + zeros(4))}},
		{UDP(9), []Message{Client(strings.Repeat("\xff", 6) + strings.Repeat("\x02\x00\x5e\x10\x00\x01", 15) + "\x02\x00\x5e\x10\x00\x02")}},
		{UDP(7), []Message{Client("hello"), Server("hallo")}},
		{TCP(179), []Message{Client(strings.Repeat("\xff", 15) + "\xfe\x00\x13\x04")}},
		{TCP(389), []Message{Client("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x05\x04\x00\x80\x00")}},
		{TCP(49), []Message{Client("\xc0\x01\x02\x00\x11\x22\x33\x44\x00\x00\x00\x08")}},
		{TCP(5666), []Message{Client(nrpePacket()[:1035] + "x")}},
		{TCP(3868), []Message{Client("\x01\x00\x00\x27\x80\x00\x01\x01" + zeros(12) + "\x00\x00\x01\x08\x40\x00\x00\x0cmme1")}},
		{TCP(135), []Message{Client("\x05\x00\x0b\x03\x20\x00\x00\x00\x48\x00\x00\x00")}},
		{TCP(70), []Message{Client("\r\n"), Server("HTTP/1.1 400 Bad Request\r\n\r\n")}},
		{TCP(37), []Message{Server("\x00\x00\x00\x01")}},
	} {
		if o := Run(Decoders, c.meta, c.messages...); o.Verdict >= decode.Maybe {
			t.Errorf("port %d, %q: %s %v", c.meta.Server.Port(), c.messages[0].Data, o.Name, o.Verdict)
		}
	}
}

// What is cut off is waited for.
func TestTruncated(t *testing.T) {
	for _, c := range []struct {
		port    uint16
		message Message
	}{
		{88, Client(be32(len(asReq)) + asReq[:6])}, {389, Client(bind[:3])}, {179, Client("\xff\xff")}, {49, Client("\xc0\x01\x01")},
		{135, Client("\x05\x00\x0b")}, {5666, Client(nrpePacket()[:500])}, {4949, Server("# mun")}, {113, Client("6193")}, {3868, Client("\x01\x00\x00")},
	} {
		if o := Run(Decoders, TCP(c.port), c.message); o.Verdict != decode.More {
			t.Errorf("port %d, %q: %s %v", c.port, c.message.Data, o.Name, o.Verdict)
		}
	}
}

func FuzzManagement(f *testing.F) {
	Fuzz(f, Decoders, []byte(asReq), []byte(be32(len(asReq))+asReq), []byte(bind), []byte(get), []byte(slpV2), []byte(ntpQ), []byte(nrpePacket()),
		[]byte(dceBind(mapi)), []byte("<34>1 2003-"), []byte("6193, 23\r\n"), []byte("LIST UPS\n"), []byte(strings.Repeat("\xff", 19)), []byte("\x2a\x02\x00\x04\x01\x02ab"),
		[]byte("\x02\x06\x00\x0d\x01\x00\x06\x02\x00\x5e\x10\x00\x01\x0b\x00\x01a"), []byte("\x00\x0a\x00\x1c"+zeros(12)+"\x00\x02\x00\x0c"+zeros(8)),
		[]byte("\x0c\x00\x00\x00\x00\x07\x01\x00\x00\x00\x82\xa5SeqNo\x01"), []byte("\x1e\x0f12345678\x00\x02"), []byte("\x93\xa7app.log\xd7\x00"),
		[]byte("0About\t/about\tgopher.example.com\t70\r\n"), []byte("\x20\x01\x00\x0c\x00\x00\x01\x00\x00\x60\x00\x04abcd"), []byte("page.views:1|c"))
}
