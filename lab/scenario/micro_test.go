package scenario

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// microPolicy is the guide's policy on micro-applications, from outside to the branch.
const microPolicy = `
set services application-identification micro-apps
set security policies from-zone untrust to-zone trust policy P1 match source-address any
set security policies from-zone untrust to-zone trust policy P1 match destination-address any
set security policies from-zone untrust to-zone trust policy P1 match application any
set security policies from-zone untrust to-zone trust policy P1 match dynamic-application junos:MODBUS-READ-COILS
set security policies from-zone untrust to-zone trust policy P1 match dynamic-application junos:MODBUS-WRITE-SINGLE-COIL
set security policies from-zone untrust to-zone trust policy P1 match dynamic-application junos:MODBUS-WRITE-MULTIPLE-COILS
set security policies from-zone untrust to-zone trust policy P1 then permit
`

// Functions of Modbus (Modbus Application Protocol V1.1b3, section 6).
const (
	readCoils             = 1
	readRegisters         = 3
	writeCoil             = 5
	writeRegister         = 6
	exceptionIllegal      = 1
	modbusPort            = ":502"
	modbusUnit       byte = 17
)

// modbusServer answers requests with an exception or an echo of what they say, which is all that its
// client looks at.
func (w *world) modbusServer(h *lab.Host) {
	w.listen(h, modbusPort, func(c *net.TCPConn) {
		header := make([]byte, 7)
		for {
			if _, err := io.ReadFull(c, header); err != nil {
				return
			}
			body := make([]byte, binary.BigEndian.Uint16(header[4:])-1)
			if _, err := io.ReadFull(c, body); err != nil {
				return
			}
			switch body[0] {
			case readCoils:
				body = []byte{readCoils, 1, 0x55}
			case readRegisters:
				body = []byte{readRegisters, 2, 0, 7}
			case writeCoil, writeRegister:
			default:
				body = []byte{body[0] | 0x80, exceptionIllegal}
			}
			binary.BigEndian.PutUint16(header[4:], uint16(1+len(body)))
			if _, err := c.Write(append(header, body...)); err != nil {
				return
			}
		}
	})
}

// modbus is a client.
type modbus struct {
	net.Conn
	transaction uint16
}

// modbusClient opens a connection from outside to the branch.
func (w *world) modbusClient() *modbus {
	w.t.Helper()
	c, err := w.dial(w.Web, "tcp", lab.ClientAddr4+modbusPort)
	if err != nil {
		w.t.Fatal(err)
	}
	return &modbus{Conn: c}
}

// ask calls a function and says whether it was answered.
func (m *modbus) ask(function byte) bool { return m.asks(function, 5*time.Second) }

// refused calls a function and says whether no answer comes.
func (m *modbus) refused(function byte) bool { return !m.asks(function, 400*time.Millisecond) }

// asks waits for the answer for so long.
func (m *modbus) asks(function byte, patience time.Duration) bool {
	m.transaction++
	request := binary.BigEndian.AppendUint16(nil, m.transaction)
	request = append(request, 0, 0, 0, 6, modbusUnit, function, 0, 19)
	if function == writeCoil {
		request = append(request, 0xff, 0) // on
	} else {
		request = append(request, 0, 1) // how many, or the value
	}
	if err := m.SetDeadline(time.Now().Add(patience)); err != nil {
		return false
	}
	if _, err := m.Write(request); err != nil {
		return false
	}
	answer := make([]byte, 8)
	if _, err := io.ReadFull(m, answer); err != nil {
		return false
	}
	_, err := io.ReadFull(m, make([]byte, binary.BigEndian.Uint16(answer[4:])-2))
	return err == nil && answer[7] == function && binary.BigEndian.Uint16(answer) == m.transaction
}

// The guide's policy on what Modbus is used for, as it stands: what it names passes, anything else is
// refused in the middle of the session, and so is every other application.
// Rows: MA-1 to MA-7, MA-11, MA-13, MA-18, MA-19, MA-21, MA-24, MA-25, MA-28, MA-31, MA-32, ST-22, ST-23, OC-2, OC-13, OC-15, OC-16.
func TestMicroApplications(t *testing.T) {
	w := start(t, lab.Options{}, microPolicy)
	w.modbusServer(w.Client)
	c := w.modbusClient()
	for _, function := range []byte{readCoils, writeCoil, readCoils} {
		if !c.ask(function) {
			t.Fatalf("function %d is not answered", function)
		}
	}
	w.becomes(from(c), "MODBUS MODBUS-READ-COILS")
	if !c.refused(writeRegister) || !c.refused(readCoils) {
		t.Error("a register is written, or the session goes on after it")
	}
	if !w.modbusClient().refused(readRegisters) {
		t.Error("a session begins with a function that is not named")
	}
	// Other applications of which functions can be told, and those of which none can.
	w.listen(w.Client, ":2222", func(c *net.TCPConn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")) })
	ssh, err := w.dial(w.Web, "tcp", lab.ClientAddr4+":2222")
	if err == nil {
		_ = ssh.SetDeadline(time.Now().Add(patience(false)))
		if n, _ := ssh.Read(make([]byte, 100)); n > 0 {
			t.Error("SSH passes")
		}
	}
	var bacnet net.PacketConn
	if err := w.Client.Do(func() (err error) {
		bacnet, err = net.ListenPacket("udp", lab.ClientAddr4+":47808")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer bacnet.Close()
	u, err := w.dial(w.Web, "udp", lab.ClientAddr4+":47808")
	if err != nil {
		t.Fatal(err)
	}
	request := []byte("\x81\x0a\x00\x11\x01\x04\x00\x05\x01\x0c\x0c\x02\x3f\xff\xff\x19\x4b")
	if w.arrives(func() { _, _ = u.Write(request) }, bacnet, request) {
		t.Error("BACnet passes")
	}

	// After so many requests the session is final, and what it is used for is not looked at any more.
	w.configure("set services application-identification micro-app-max-transactions 2")
	c = w.modbusClient()
	for _, function := range []byte{readCoils, readCoils, writeRegister} {
		if !c.ask(function) {
			t.Errorf("function %d is not answered in a session that is final", function)
		}
	}
	w.show("clear security flow session")
	w.eventually("the sessions are counted", func() bool {
		out := w.show("show services application-identification statistics applications")
		return regexp.MustCompile(`MODBUS-READ-COILS\s+[1-9]\d*\s+[1-9]\d*\s+No`).MatchString(out)
	})
	if out := w.show("show services application-identification statistics applications details"); !strings.Contains(out, "MODBUS-READ-COILS") {
		t.Errorf("details of the statistics:\n%s", out)
	}
	list := w.show("show services application-identification application micro-applications")
	for _, name := range []string{"BACNET-READ-PROPERTY", "SIEMENS-S7-SETUP-COMM", "MODBUS-WRITE-MULTIPLE-COILS", "DNS-ENCRYPTED", "LINKEDIN-POST"} {
		if !strings.Contains(list, "junos:"+name+"\n") {
			t.Errorf("%s is not among the micro-applications", name)
		}
	}
	if list := w.show("show services application-identification application"); !strings.Contains(list, "junos:MODBUS-READ-COILS") {
		t.Error("the list of applications lacks micro-applications")
	}
	w.configure("delete services application-identification micro-app-max-transactions")

	// One that is disabled is not told any more, and its policy does not match.
	w.show("request services application-identification application disable junos:MODBUS-READ-COILS")
	c = w.modbusClient()
	if !c.ask(writeCoil) || !c.refused(readCoils) {
		t.Error("a function that is disabled passes, or another does not")
	}
	w.show("request services application-identification application enable junos:MODBUS-READ-COILS")
	if !w.modbusClient().ask(readCoils) {
		t.Error("a function that is enabled again does not pass")
	}
	// Without micro-applications the rule never matches.
	w.configure("delete services application-identification micro-apps")
	if !w.modbusClient().refused(readCoils) {
		t.Error("a function passes by its name, and functions are not told")
	}
}

// Names asked for under encryption are refused, by the protocol that the client offers or the server
// that it asks for, until that is disabled.
// Rows: MA-2, MA-16, MA-17, MA-26, OC-9, OC-10.
func TestEncryptedDNS(t *testing.T) {
	w := start(t, lab.Options{}, "set services application-identification micro-apps\n"+
		forApplications("trust", "untrust", "no-dns", "junos:DNS-ENCRYPTED", "deny", "log session-init")+lab.PermitAll)
	pair, err := tls.LoadX509KeyPair(w.Dir+"/web/server.pem", w.Dir+"/web/server.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{":853", ":8443"} {
		w.listen(w.Web, port, func(c *net.TCPConn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"dot", "h2"}})
			_, _ = bufio.NewReader(s).ReadString('\n')
		})
	}
	shakes := func(want bool, port, name string, protocols ...string) bool {
		c := tls.Client(w.connect(lab.WebAddr4+port), &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: true})
		_ = c.SetDeadline(time.Now().Add(patience(want)))
		return c.Handshake() == nil
	}
	if shakes(false, ":853", "resolver.test", "dot") || shakes(false, ":8443", "dns.google", "h2") {
		t.Error("encrypted DNS passes")
	}
	if !shakes(true, ":8443", "www.example.net", "h2") {
		t.Error("another site does not pass")
	}
	w.show("request services application-identification application disable DNS-ENCRYPTED")
	if !shakes(true, ":853", "resolver.test", "dot") || !shakes(true, ":8443", "dns.google", "h2") {
		t.Error("encrypted DNS does not pass after it was disabled")
	}
	w.show("request services application-identification application enable DNS-ENCRYPTED")
	if shakes(false, ":853", "resolver.test", "dot") {
		t.Error("encrypted DNS passes after it was enabled again")
	}
}

// A tunnel is refused for what it is, though what it carries were permitted.
// Rows: TU-1 to TU-3.
func TestTunnels(t *testing.T) {
	w := start(t, lab.Options{}, forApplications("trust", "untrust", "no-tunnels", "[ junos:SOCKS junos:QUIC ]", "reject", "log session-init")+
		forApplications("trust", "untrust", "web", "junos:HTTP", "permit")+lab.PermitAll)
	w.listen(w.Web, ":1080", func(c *net.TCPConn) {
		r := bufio.NewReader(c)
		greeting := make([]byte, 2)
		if _, err := io.ReadFull(r, greeting); err != nil {
			return
		}
		_, _ = io.ReadFull(r, make([]byte, greeting[1]))
		_, _ = c.Write([]byte{5, 0})
		_, _ = io.ReadFull(r, make([]byte, 10)) // to an IPv4 address
		_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		if _, err := r.ReadString('\n'); err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"))
		}
	})
	if w.fetches("--socks5", lab.WebAddr4+":1080", "http://"+lab.EchoAddr4+"/") {
		t.Error("a web request through SOCKS passes")
	}
	if !w.fetches("http://" + lab.WebAddr4 + "/whoami") {
		t.Error("a web request does not pass")
	}
	var at net.PacketConn
	if err := w.Web.Do(func() (err error) {
		at, err = net.ListenPacket("udp", lab.WebAddr4+":443")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	u, err := w.dial(w.Client, "udp", lab.WebAddr4+":443")
	if err != nil {
		t.Fatal(err)
	}
	initial := quicInitial(t, "www.example.net")
	if w.arrives(func() { _, _ = u.Write(initial) }, at, initial) {
		t.Error("QUIC passes")
	}
	if u, err = w.dial(w.Client, "udp", lab.WebAddr4+":443"); err != nil {
		t.Fatal(err)
	}
	if other := []byte("something else"); !w.arrives(func() { _, _ = u.Write(other) }, at, other) {
		t.Error("other datagrams to the same port do not pass")
	}
	if hits := w.show("show security policies hit-count"); !regexp.MustCompile(`no-tunnels\s+[2-9]`).MatchString(hits) {
		t.Errorf("policy no-tunnels has not two hits:\n%s", hits)
	}
}

// quicInitial is the first datagram of a QUIC client that asks for a server name (RFC 9000 section
// 17.2.2, RFC 9001 section 5).
func quicInitial(t *testing.T, name string) []byte {
	t.Helper()
	q := tls.QUICClient(&tls.QUICConfig{TLSConfig: &tls.Config{ServerName: name, NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}}})
	defer q.Close()
	q.SetTransportParameters([]byte{1, 1, 30})
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hello []byte
	for e := q.NextEvent(); e.Kind != tls.QUICNoEvent; e = q.NextEvent() {
		if e.Kind == tls.QUICWriteData {
			hello = append(hello, e.Data...)
		}
	}
	const size, overhead = 1200, 16
	id := []byte("lab-quic")
	header := append([]byte{0xc3, 0, 0, 0, 1, byte(len(id))}, id...) // Initial, packet number of four bytes
	header = append(header, 0, 0)                                    // no source identifier, no token
	header = binary.BigEndian.AppendUint16(header, 0x4000|uint16(size-len(header)-2))
	at := len(header)
	header = append(header, 0, 0, 0, 0)
	payload := binary.BigEndian.AppendUint16([]byte{6, 0}, 0x4000|uint16(len(hello)))
	payload = append(payload, hello...)
	payload = append(payload, make([]byte, size-len(header)-len(payload)-overhead)...)

	salt := []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}
	secret, err := hkdf.Extract(sha256.New, id, salt)
	expand := func(secret []byte, label string, n int) []byte {
		info := append([]byte{byte(n >> 8), byte(n), byte(6 + len(label))}, "tls13 "+label...)
		key, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	if err != nil {
		t.Fatal(err)
	}
	client := expand(secret, "client in", 32)
	block, err := aes.NewCipher(expand(client, "quic key", 16))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	packet := seal.Seal(header, expand(client, "quic iv", 12), payload, header)
	mask := make([]byte, 16)
	protect, err := aes.NewCipher(expand(client, "quic hp", 16))
	if err != nil {
		t.Fatal(err)
	}
	protect.Encrypt(mask, packet[at+4:at+20])
	packet[0] ^= mask[0] & 0x0f
	for i := range 4 {
		packet[at+i] ^= mask[1+i]
	}
	return packet
}
