package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeCapture writes a pcap file with one DNS query and returns its name.
func writeCapture(t *testing.T) string {
	t.Helper()
	query := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01")
	packet := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1, 0x9c, 0x40, 0, 53, 0, 0, 0, 0}
	packet = append(packet, query...)
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	binary.BigEndian.PutUint16(packet[24:], uint16(len(packet)-20))
	file := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, make([]byte, 16)...)
	for _, v := range []int{101, 1e9, 0, len(packet), len(packet)} {
		file = binary.LittleEndian.AppendUint32(file, uint32(v))
	}
	name := filepath.Join(t.TempDir(), "query.pcap")
	if err := os.WriteFile(name, append(file, packet...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestClassify(t *testing.T) {
	name := writeCapture(t)
	for _, args := range [][]string{{"--pcap", name, name}, {"--pcap", name, "--pcap", name}} {
		var out, problems bytes.Buffer
		if code := classifyMain(args, &out, &problems); code != 0 {
			t.Fatalf("%v: code %d: %s", args, code, &problems)
		}
		const row = "query.pcap,UDP,192.0.2.1,40000,198.51.100.1,53,junos:DNS,,junos:infrastructure:networking,high,decoder,1,61\n"
		want := "pcap,proto,src,sport,dst,dport,protocol,application,group,confidence,evidence,packets,bytes\n" + row + row
		if out.String() != want {
			t.Errorf("%v printed\n%s", args, &out)
		}
	}
}

func TestClassifyJSON(t *testing.T) {
	var out, problems bytes.Buffer
	if code := classifyMain([]string{"--pcap", writeCapture(t), "--json", "--names", "ndpi"}, &out, &problems); code != 0 {
		t.Fatalf("code %d: %s", code, &problems)
	}
	var row classifyRow
	if err := json.Unmarshal(out.Bytes(), &row); err != nil {
		t.Fatal(err)
	}
	if row.Protocol != "DNS" || row.AnswerPackets != 1 || row.AnswerBytes != 33 || row.SourcePort != 40000 {
		t.Errorf("%+v", row)
	}
}

func TestClassifyErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.pcap")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "usage"},
		{[]string{"--names", "nobody", "--pcap", missing}, 2, `engine "nobody"`},
		{[]string{"--pcap", missing}, 1, "missing.pcap"},
	} {
		var out, problems bytes.Buffer
		if code := classifyMain(c.args, &out, &problems); code != c.code || !strings.Contains(problems.String(), c.says) {
			t.Errorf("%v: code %d, %s", c.args, code, &problems)
		}
	}
}
