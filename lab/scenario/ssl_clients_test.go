package scenario

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/lab"
)

// A copy of the plaintext, in both directions, goes to the collector as a TCP conversation with the
// addresses of the session (DM-1…DM-5, DM-9, DM-11, DM-14, DM-18, DM-20).
func TestDecryptionMirroring(t *testing.T) {
	const mac = "00:50:56:a6:5f:1f"
	w := startSSL(t, lab.PermitAll+sslProfile+`
set services ssl proxy profile inspect mirror-decrypt-traffic interface ge-0/0/3.0
set services ssl proxy profile inspect mirror-decrypt-traffic destination-mac-address `+mac+`
`)
	for _, c := range []struct{ family, address, filter string }{
		{"IPv4", lab.WebAddr4, "ip host " + lab.WebAddr4}, {"IPv6", lab.WebAddr6, "ip6 host " + lab.WebAddr6},
	} {
		file := filepath.Join(t.TempDir(), "copy.pcap")
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		p, err := w.Guest.Start("tcpdump", "-i", "any", "-U", "--immediate-mode", "-Z", "root", "-w", file, c.filter)
		if err != nil {
			t.Fatal(err)
		}
		w.eventually("the collector listens", func() bool { return strings.Contains(p.Output(), "listening on") })
		if out, err := w.fetch("https://"+lab.WebName+"/", "--http1.1", "--resolve", lab.WebName+":443:"+c.address); err != nil || out != "hello from the internet\n" {
			t.Fatalf("%s: %q, %v", c.family, out, err)
		}
		follow := func() string {
			out, _ := exec.Command("tshark", "-r", file, "-q", "-z", "follow,tcp,ascii,0").Output()
			return string(out)
		}
		w.eventually("the copy arrives", func() bool { return strings.Contains(follow(), "hello from the internet") })
		text := follow()
		for _, want := range []string{"GET / HTTP/1.1", "Host: " + lab.WebName, "HTTP/1.1 200 OK", c.address + ":443"} {
			if !strings.Contains(strings.ReplaceAll(text, "["+c.address+"]", c.address), want) {
				t.Errorf("%s: %q is missing in the copy:\n%s", c.family, want, text)
			}
		}
		if odd, err := exec.Command("tshark", "-r", file, "-Y", "tcp.analysis.flags || tcp.checksum.status == 0", "-o", "tcp.check_checksum:TRUE").Output(); err != nil || len(odd) > 0 {
			t.Errorf("%s: %v, frames that are not well:\n%s", c.family, err, odd)
		}
		if frames, err := exec.Command("tshark", "-r", file, "-T", "fields", "-e", "tcp.flags.str").Output(); err != nil || !strings.Contains(string(frames), "S") || !strings.Contains(string(frames), "F") {
			t.Errorf("%s: %v, no beginning and no end:\n%s", c.family, err, frames)
		}
		if err := p.Stop(5 * time.Second); err != nil {
			t.Error(err)
		}
	}
}

// What a policy refuses is copied, so that it can be looked into, but not where what goes on is asked for
// (DM-7, DM-8).
func TestMirroringAroundEnforcement(t *testing.T) {
	w := startSSL(t, policy("trust", "untrust", "social", "any", "any", "reject")+lab.PermitAll+sslProfile+`
set security policies from-zone trust to-zone untrust policy social match dynamic-application junos:FACEBOOK-ACCESS
set services ssl proxy profile inspect mirror-decrypt-traffic interface ge-0/0/3.0
set services ssl proxy profile inspect mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f
`)
	file := filepath.Join(t.TempDir(), "copy.pcap")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := w.Guest.Start("tcpdump", "-i", "any", "-U", "--immediate-mode", "-Z", "root", "-w", file, "tcp")
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the collector listens", func() bool { return strings.Contains(p.Output(), "listening on") })
	copied := func(text string) bool {
		out, _ := exec.Command("tshark", "-r", file, "-T", "fields", "-e", "tcp.payload").Output()
		return strings.Contains(string(out), fmt.Sprintf("%x", text))
	}
	ask := func(path, host string) {
		_, _ = w.fetch("https://"+lab.WebName+path, "--http1.1", "-H", "Host: "+host)
	}
	ask("/refused-before", "www.facebook.com")
	w.eventually("what is refused is copied", func() bool { return copied("/refused-before") })
	w.configure("set services ssl proxy profile inspect mirror-decrypt-traffic only-after-security-policies-enforcement")
	ask("/refused-after", "www.facebook.com")
	ask("/passed-after", lab.WebName)
	w.eventually("what passes is copied", func() bool { return copied("/passed-after") })
	if copied("/refused-after") {
		t.Error("what was refused is copied although only what goes on is asked for")
	}
	if err := p.Stop(5 * time.Second); err != nil {
		t.Error(err)
	}
}

// Each side speaks what it can: any of the versions with the client, any with the server, as far as
// the profile allows both (SP-11, SP-15, SP-19, SP-28, SP-58, SP-59).
func TestVersions(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile+"set services ssl proxy profile inspect actions ignore-server-auth-failure\nset services ssl proxy profile inspect preferred-ciphers weak\n")
	dir := filepath.Dir(w.CA)
	versions := []string{"-tls1", "-tls1_1", "-tls1_2", "-tls1_3"}
	for i, version := range versions {
		port := fmt.Sprint(9440 + i)
		p, err := w.Web.Start("openssl", "s_server", "-accept", port, "-cert", filepath.Join(dir, "server.pem"), "-key", filepath.Join(dir, "server.key"),
			version, "-cipher", "ALL@SECLEVEL=0", "-rev", "-quiet")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.WaitListening(t.Context(), "tcp", uint16(9440+i)); err != nil {
			t.Fatal(err)
		}
	}
	answers := func(step string, want bool, args ...string) func() {
		return func() {
			out, err := w.openssl("abc\nCLOSE\n", append(args, "-servername", lab.WebName)...)
			if strings.Contains(out, "cba") != want {
				t.Errorf("%s: %v, want an answer: %v\n%s", step, err, want, out)
			}
		}
	}
	var trials sync.WaitGroup
	for i := range versions {
		for j, client := range versions {
			// A server older than what the client takes is none for the client either.
			trials.Go(answers("server "+versions[i]+", client "+client, i >= j, "-connect", fmt.Sprintf("%s:%d", lab.WebAddr4, 9440+i), client, "-cipher", "ALL@SECLEVEL=0"))
		}
	}
	trials.Wait()
	for _, group := range []string{"P-256", "P-384", "P-521", "X25519"} {
		trials.Go(answers("group "+group, true, "-connect", lab.WebAddr4+":9443", "-groups", group))
	}
	trials.Wait()
}

// openssl is a TLS client that sends text and shows what it gets until the server is done.
func (w *sslWorld) openssl(text string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	line := "printf %s " + quote(text) + " | openssl s_client -ign_eof -CAfile " + quote(w.root)
	for _, a := range args {
		line += " " + quote(a)
	}
	return w.Client.Run(ctx, "sh", "-c", line+" 2>&1; true")
}

// quote makes text one word of the shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// A client that sends early data to a gateway that it does not know of gets its answer all the same
// (0-RTT, RFC 8446 section 4.2.10).
func TestEarlyData(t *testing.T) {
	w := startSSL(t, lab.PermitAll)
	ticket, early := filepath.Join(t.TempDir(), "ticket"), filepath.Join(t.TempDir(), "early")
	const request = "GET / HTTP/1.1\r\nHost: " + lab.WebName + "\r\nConnection: close\r\n\r\n"
	if err := os.WriteFile(early, []byte(request), 0o644); err != nil {
		t.Fatal(err)
	}
	to := []string{"-connect", lab.WebAddr4 + ":443", "-servername", lab.WebName}
	visit := func(step, text string, want []string, args ...string) {
		t.Helper()
		out, err := w.openssl(text, append(to, args...)...)
		for _, part := range want {
			if !strings.Contains(out, part) {
				t.Fatalf("%s: %v, %q is missing:\n%s", step, err, part, out)
			}
		}
	}
	const page = "hello from the internet"
	visit("straight to the server", request, []string{page}, "-CAfile", w.CA, "-sess_out", ticket)
	visit("straight, with early data", "", []string{page, "Early data was accepted"}, "-CAfile", w.CA, "-sess_in", ticket, "-early_data", early)
	visit("another ticket", request, []string{page}, "-CAfile", w.CA, "-sess_out", ticket)
	w.configure(strings.Split(strings.TrimSpace(sslProfile), "\n")...)
	visit("through the SSL proxy", request, []string{page, "Early data was rejected"}, "-sess_in", ticket, "-early_data", early)
}

// Hellos of SSL 2.0 and 3.0 end the session, and so do those that only a lenient server would understand
// (SP-16, SP-17, SP-85).
func TestObsoleteHellos(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	for name, hello := range map[string]string{
		"malformed": "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
		"endless":   "\x16\x03\x01\x40\x00\x01\x0f\xff\xff" + strings.Repeat("\x16\x03\x01\x40\x00", 20000),
		"SSLv2":     "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x02\x00\x80\x03\x00\x80\x04\x00\x80\x05\x00\x80\x06\x00\x40\x07\x00\xc0" + strings.Repeat("c", 16),
		"SSLv3":     "\x16\x03\x00\x00\x2f\x01\x00\x00\x2b\x03\x00" + strings.Repeat("r", 32) + "\x00\x00\x04\x00\x35\x00\x2f\x01\x00",
	} {
		c := w.connect(lab.WebAddr4 + ":443")
		_, _ = c.Write([]byte(hello)) // it may be reset meanwhile
		rest, err := io.ReadAll(c)
		if len(rest) > 7 { // at most an alert
			t.Errorf("%s: answered with %d bytes, %v", name, len(rest), err)
		}
	}
	if n := w.counter("session dropped"); n != "4" {
		t.Errorf("%s sessions dropped", n)
	}
}

// A decrypted session is shown with what either side has agreed on (6/1, 6/2, 6/3).
func TestShowDecryptedSession(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := w.Client.Command(ctx, "openssl", "s_client", "-connect", lab.WebAddr4+":443", "-servername", lab.WebName, "-CAfile", w.root, "-quiet")
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(in, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", lab.WebName)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Fatalf("%q, %v", line, err)
	}
	id := ""
	for _, line := range strings.Split(w.show("show security flow session ssl"), "\n") {
		if rest, ok := strings.CutPrefix(line, "Session ID: "); ok {
			id, _, _ = strings.Cut(rest, ",")
		}
	}
	text := squeeze(w.show("show services ssl session " + id))
	for _, want := range []string{"Connection Type : PROXY", "SSL Profile : inspect", "Server Cert verification status : OK", "Key size : 256", "TLS version : 1.3", "TLS_AES_"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing: %s", want, text)
		}
	}
	if text := w.show("show security flow session extensive ssl"); !strings.Contains(text, "junos:HTTP") || !strings.Contains(text, "Encryption: Yes") {
		t.Errorf("extensive:\n%s", text)
	}
}
