package file

import (
	"fmt"
	"strings"
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

func zeros(n int) string { return strings.Repeat("\x00", n) }

// sum puts the check byte of Perforce in front.
func sum(length, variables string) string {
	return string(length[0]^length[1]^length[2]^length[3]) + length + variables
}

const (
	nbName = " EGFCEFEECACACACACACACACACACACACA\x00"
	ask    = "\x81\x00\x00\x44" + nbName + nbName
)

func TestStreams(t *testing.T) {
	smb := func(c string) string { return "\x00\x00\x00\x20" + c + "SMB" + zeros(28) }
	dsi := func(head string, length byte, data string) string {
		return head + zeros(7) + string(length) + zeros(4) + data
	}
	icReq := "\x00\x00\x80\x00\x80" + zeros(123)
	for _, c := range []struct {
		name     string
		messages []Message
	}{
		{"NETBIOS-SSN", []Message{Client(ask), Server("\x82\x00\x00\x00"), Client(smb("\xff"))}},
		{"NETBIOS-SSN", []Message{Client(ask), Server("\x83\x00\x00\x01\x82")}},
		{"NETBIOS-SSN", []Message{Client(smb("\xfe"))}},
		{"FTP", []Message{Server("220 ProFTPD FTP Server ready.\r\n"), Client("USER a\r\n")}},
		{"FTP", []Message{Server("220 welcome\r\n"), Client("USER a\r\n")}},
		{"FTP", []Message{Client("USER a\r\nPASS b\r\nPWD\r\nEPSV\r\n")}},
		{"FTP-DATA", []Message{Server("drwxr-xr-x   2 ftp      ftp          4096 Jan  1 00:00 pub\r\n")}},
		{"FTP-DATA", []Message{Server("-rw-r--r-- 1 ftp ftp 4096 Jan  1 00:00 pub\r\n")}},
		{"AFP", []Message{Client(dsi("\x00\x03\x00\x01", 0, ""))}},
		{"AFP", []Message{Client(dsi("\x00\x04\x00\x01", 6, "\x01\x04\x00\x10\x00\x00"))}},
		{"AFP", []Message{Client(dsi("\x00\x02\x00\x09", 6, "\x11\x00\x00\x02\x0e\x1c")), Server(dsi("\x01\x02\x00\x09", 2, "\x00\x00"))}},
		{"NCP", []Message{Client("DmdT\x00\x00\x00\x17\x00\x00\x00\x01")}},
		{"9P", []Message{Client("\x13\x00\x00\x00\x64\xff\xff\x00\x20\x00\x00\x06\x009P2000")}},
		{"RSYNC", []Message{Server("@RSYNCD: 31.0\n"), Client("@RSYNCD: 31.0\n")}},
		{"GIT", []Message{Client("0033git-upload-pack /project.git\x00host=git.example.com\x00")}},
		{"SVN", []Message{Server("( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) )"), Client("( 2 ( edit-pipeline ) 26:svn://example.com/a ) ")}},
		{"SVN", []Message{Client("( 2 ( edit-pipeline svndiff1 ) 17:svn://example.com ")}},
		{"CVS", []Message{Client("BEGIN AUTH REQUEST\n/cvs\nanonymous\nA\nEND AUTH REQUEST\n")}},
		{"PERFORCE", []Message{Client(sum("\x40\x00\x00\x00", "cmpfile\x00\x00\x00\x00\x00\x00client\x00\x02\x00\x00\x0085\x00"))}},
		{"ISCSI", []Message{Client("\x43\x87\x00\x00\x00\x00\x00\x10" + zeros(40) + "InitiatorName=iqn")}},
		{"ISCSI", []Message{Server("\x23\x87\x00\x00\x00\x00\x00\x10" + zeros(40))}},
		{"NVME-TCP", []Message{Client(icReq)}},
		{"NBD", []Message{Server("NBDMAGICIHAVEOPT\x00\x03")}},
		{"DRBD", []Message{Client("\x83\x74\x02\x67\xff\xfe\x00\x50" + zeros(80))}},
		{"CEPH", []Message{Server("ceph v027"), Client("ceph v027")}},
		{"CEPH", []Message{Server("ceph v2\n")}},
		{"LUSTRE", []Message{Client("\x00\x71\xce\xac\x01\x00\x00\x00" + zeros(8))}},
		{"BACULA", []Message{Client("\x00\x00\x00\x17Hello *Console* calling\n")}},
		{"SYNCTHING", []Message{Client("\x2e\xa7\xd9\x0b\x00\x10")}},
		{"MICROSOFT-DO", []Message{Client("\x0eSwarm protocol" + zeros(60))}},
		{"NDMP", []Message{Server("\x80\x00\x00\x24\x00\x00\x00\x01\x52\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x02" + zeros(20))}},
		{"", []Message{Server("\x80\x00\x00\x14\x00\x00\x00\x01\x52\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x02" + zeros(20))}},
		{"PORTMAP", []Message{Client("\x80\x00\x00\x28" + rpcGetPort)}},
		{"GLUSTERFS", []Message{Client("\x80\x00\x00\x28\x00\x00\x00\x01" + zeros(7) + "\x02\x00\xdb\xb4\xa9\x00\x00\x00\x02\x00\x00\x00\x01" + zeros(16))}},
		{"PORTMAP", []Message{Server("\x80\x00\x00\x1c" + rpcAnswer)}},
		{"PORTMAP", []Message{Server("\x80\x00\x00\x44\x00\x00\x00\x01\x00\x00\x00\x01" + zeros(7) + "\x06\x00\x00\x00\x28" + zeros(40) + zeros(8))}},
	} {
		port := uint16(4000)
		if c.name == "PORTMAP" {
			port = 111
		}
		Stream(t, Decoders, port, c.name, c.messages...)
	}
}

// A call of GETPORT of the port mapper, and an answer.
const (
	rpcGetPort = "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0\x00\x00\x00\x02\x00\x00\x00\x03" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	rpcAnswer = "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x01"
)

func TestDatagrams(t *testing.T) {
	fdt := "\x10\x10\x04\x00" + zeros(12) + "<?xml version=\"1.0\"?><FDT-Instance Expires=\"1\">"
	rxHead := "\x11\x22\x33\x44\x55\x66\x77\x80\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01"
	for _, c := range []struct {
		name     string
		port     uint16
		messages []Message
	}{
		{"TFTP", 69, []Message{Client("\x00\x01boot.bin\x00octet\x00blksize\x001428\x00")}},
		{"TFTP", 4000, []Message{Client("\x00\x03\x00\x01" + strings.Repeat("x", 512)), Server("\x00\x04\x00\x01")}},
		{"TFTP", 4000, []Message{Client("\x00\x04\x00\x00"), Server("\x00\x03\x00\x01abc")}},
		{"TFTP", 4000, []Message{Client("\x00\x06tsize\x001024\x00")}},
		{"PORTMAP", 111, []Message{Client(rpcGetPort)}},
		{"PORTMAP", 111, []Message{Server(rpcAnswer)}},
		{"AFS", 7000, []Message{Client(rxHead + "\x01\x01\x00\x00\x00\x00\x00\x01")}},
		{"AFS", 4000, []Message{Client(rxHead + "\x01\x01\x00\x00\x00\x00\x00\x01"), Server(rxHead + "\x01\x00\x00\x00\x00\x00\x00\x01")}},
		{"AMANDA", 10080, []Message{Client("Amanda 2.6 REQ HANDLE 000-00000001 SEQ 1\n")}},
		{"DROPBOX-LAN-SYNC", 17500, []Message{Client(`{"version": [2, 0], "port": 17500, "host_int": 123, "namespaces": [1]}`)}},
		{"SYNCTHING", 21027, []Message{Client("\x2e\xa7\xd9\x0b\x0a\x20" + zeros(30))}},
		{"FLUTE", 4000, []Message{Client(fdt)}},
	} {
		Datagrams(t, Decoders, c.port, c.name, c.messages...)
	}
}

func TestSMBVersions(t *testing.T) {
	first := Client("\x00\x00\x00\x24\xffSMB" + zeros(32))
	for answer, want := range map[string]string{"\xff": "SMB1", "\xfe": "SMB"} {
		o := Stream(t, Decoders, 445, "NETBIOS-SSN", first, Server("\x00\x00\x00\x24"+answer+"SMB"+zeros(32)))
		if o.Carries != want {
			t.Errorf("carries %q, want %q", o.Carries, want)
		}
	}
	if o := Run(Decoders, TCP(139), Client(ask)); o.Value(decode.SMBName) != "FRED" {
		t.Errorf("contexts: %q", o.Values)
	}
}

// Every way to arrange a data session announces it.
func TestFTPDataSessions(t *testing.T) {
	for dialogue, want := range map[string]string{
		"PASV\r\n|227 Entering Passive Mode (203,0,113,9,195,80).\r\n": "203.0.113.9:50000 198.51.100.20:50000 ",
		"EPSV\r\n|229 Entering Extended Passive Mode (|||50001|)\r\n":  "198.51.100.20:50001 ",
		"PORT 192,0,2,10,4,1\r\n|200 ok\r\n":                           "192.0.2.10:1025 ",
		"EPRT |2|2001:db8::1|1026|\r\n|200 ok\r\n":                     "[2001:db8::1]:1026 ",
		"PASV\r\n|227 Entering Passive Mode (203,0,113,999,1,1)\r\n":   "",
		"EPSV\r\n|229 ok (|||99999|)\r\n":                              "",
		"PORT 1,2,3\r\n|500 no\r\n":                                    "",
	} {
		command, reply, _ := strings.Cut(dialogue, "|22")
		if reply == "" {
			command, reply, _ = strings.Cut(dialogue, "\r\n|")
			command += "\r\n"
		} else {
			reply = "22" + reply
		}
		o := Run(Decoders, TCP(21), Server("220 FTP\r\n"), Client(command), Server(reply))
		got := ""
		for _, e := range o.Expected {
			got += fmt.Sprintf("%s:%d ", bracket(e.Addr.String()), e.Port)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", dialogue, got, want)
		}
	}
}

func bracket(addr string) string {
	if strings.Contains(addr, ":") {
		return "[" + addr + "]"
	}
	return addr
}

func TestFTPContexts(t *testing.T) {
	o := Stream(t, Decoders, 21, "FTP", Server("220 FTP ready\r\n"), Client("RETR /pub/a.iso\r\n"), Server("150 ok\r\n"))
	if o.Value(decode.FTPFileName) != "/pub/a.iso" || o.Value(decode.FTPMethod) != "RETR" || o.Value(decode.FTPGreeting) != "220 FTP ready" {
		t.Errorf("contexts: %q", o.Values)
	}
	const before = "220 FTP\r\n234 go\r\n"
	o = Stream(t, Decoders, 21, "FTPS", Server(before[:9]), Client("AUTH TLS\r\n"), Server(before[9:]), Client("\x16\x03\x01\x00\x01"))
	if o.Tunnel == nil || *o.Tunnel != [2]int{10, len(before)} {
		t.Errorf("TLS at %v", o.Tunnel)
	}
}

func TestTFTPExpectsItsTransfer(t *testing.T) {
	o := Run(Decoders, UDP(69), Client("\x00\x02a\x00netascii\x00"))
	if len(o.Expected) != 1 || o.Expected[0].Port != 50123 || o.Expected[0].Name != "TFTP" {
		t.Errorf("expected %v", o.Expected)
	}
}

func TestOthers(t *testing.T) {
	for _, c := range []struct {
		meta     decode.Meta
		messages []Message
	}{
		{TCP(445), []Message{Client("\x00\x00\x00\x20\xffSMC" + zeros(28))}},
		{TCP(139), []Message{Client("\x81\x00\x00\x45" + nbName + nbName)}},
		{TCP(21), []Message{Server("220 mx ESMTP\r\n"), Client("EHLO a\r\n")}},
		{TCP(4000), []Message{Server("drwxr-xr-y   2 ftp      ftp  ")}},
		{TCP(548), []Message{Client("\x00\x03\x00\x01\x00\x00\x00\x01" + zeros(8))}},
		{TCP(548), []Message{Client("\x00\x02\x00\x09" + zeros(12)), Server("\x01\x02\x00\x0a" + zeros(12))}},
		{TCP(9418), []Message{Client("0033git-unpack /a")}},
		{TCP(3260), []Message{Client("\x43\x87\x00\x00\x00\x00\x00\x10" + zeros(40) + "\x01\x02")}},
		{TCP(1666), []Message{Client("\x41\x40\x00\x00\x00func\x00")}},
		{TCP(111), []Message{Client("\x80\x00\x00\x28\x00\x00\x00\x01" + zeros(7) + "\x03" + zeros(24))}},
		{UDP(111), []Message{Client("\x00\x00\x00\x01" + zeros(7) + "\x02\x7f\x01\x86\xa0" + zeros(24))}},
		{UDP(69), []Message{Client("\x00\x01boot.bin\x00other\x00")}},
		{UDP(4000), []Message{Client("\x00\x03\x00\x01abc"), Server("\x00\x04\x00\x02")}},
		{UDP(7000), []Message{Client(zeros(28))}},
		{UDP(53), []Message{Client("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01")}},
	} {
		if o := Run(Decoders, c.meta, c.messages...); o.Verdict >= decode.Maybe {
			t.Errorf("%q: %s %v", c.messages[0].Data, o.Name, o.Verdict)
		}
	}
}

// What is cut off is waited for.
func TestTruncated(t *testing.T) {
	for _, m := range []Message{
		Client("\x00\x00\x00\x20\xffSM"), Client(ask[:40]), Server("22"), Client("0033git-up"), Server("@RSYN"), Client("\x43\x87\x00\x00"),
		Server("( succ"), Client("\x80\x00\x00\x28\x00\x00"), Server("NBDMA"),
	} {
		if o := Run(Decoders, TCP(4000), m); o.Verdict != decode.More {
			t.Errorf("%q: %s %v", m.Data, o.Name, o.Verdict)
		}
	}
}

func FuzzFile(f *testing.F) {
	Fuzz(f, Decoders, []byte(ask), []byte("\x00\x00\x00\x20\xfeSMB"), []byte("220 FTP\r\n227 Entering Passive Mode (1,2,3,4,5,6)\r\n229 (|||1|)\r\n"),
		[]byte("PORT 1,2,3,4,5,6\r\nEPRT |1|192.0.2.1|99|\r\nRETR a\r\n"), []byte("\x00\x01a\x00octet\x00"), []byte(rpcGetPort), []byte("\x80\x00\x00\x28"+rpcGetPort),
		[]byte(rpcAnswer), []byte("\x00\x03\x00\x01"+zeros(12)), []byte("drwxr-xr-x 2 ftp ftp 4096 "), []byte("0033git-upload-pack /"), []byte("( 2 ( edit-pipeline svn"),
		[]byte("\x43\x87\x00\x00\x00\x00\x00\x10"+zeros(40)+"InitiatorName="), []byte("\xc1\x00\x00\x00"+zeros(92)), []byte("\x00\x00\x00\x17Hello *Console* calling\n"),
		[]byte(sum("\x40\x00\x00\x00", "cmpfile\x00\x00\x00\x00\x00\x00client\x00\x02\x00\x00\x0085\x00")))
}
