package shell

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/youmark/pkcs8"
	"golang.org/x/sys/unix"

	"sluice/manage/api"
)

// sitter is a person at a terminal: it types, and reads what the screen shows.
type sitter struct {
	t      *testing.T
	keys   io.Writer
	screen *transcript
	code   chan int
	socket string // of the gateway
	user   string // in the prompt
}

// transcript is everything that was written to a screen.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen int // bytes that expect has passed
}

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.Write(p)
}

// after returns what was written since the last find of text, once text is in it.
func (tr *transcript) after(text string) (string, bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	fresh := tr.text.String()[tr.seen:]
	i := strings.Index(fresh, text)
	if i < 0 {
		return fresh, false
	}
	tr.seen += i + len(text)
	return fresh[:i+len(text)], true
}

// sit starts a shell on a terminal of the given height.
func sit(t *testing.T, height int) *sitter {
	t.Helper()
	socket := startGateway(t, t.Cleanup)
	keys, typed := io.Pipe()
	p := &sitter{t: t, keys: typed, screen: &transcript{}, code: make(chan int, 1), socket: socket}
	s := newShell(api.NewClient(socket), p.screen, p.screen)
	if err := s.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.user = s.status.User
	go func() {
		p.code <- s.interact(context.Background(), keys, p.screen, func() (int, int) { return 200, height }, loadHistory(""))
	}()
	t.Cleanup(func() {
		typed.Close()
		select {
		case <-p.code:
		case <-time.After(10 * time.Second):
			t.Error("the shell does not end with its terminal")
		}
	})
	p.expect("@gw> ")
	return p
}

// press types keys.
func (p *sitter) press(keys string) {
	p.t.Helper()
	if _, err := io.WriteString(p.keys, keys); err != nil {
		p.t.Fatal(err)
	}
}

// expect waits for text on the screen and returns what came before and with it.
func (p *sitter) expect(text string) string {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		shown, ok := p.screen.after(text)
		if ok {
			return shown
		}
		if time.Now().After(end) {
			p.t.Fatalf("%q did not appear; the screen shows\n%s", text, shown)
		}
	}
}

func (p *sitter) contains(shown string, wants ...string) {
	p.t.Helper()
	for _, want := range wants {
		if !strings.Contains(shown, want) {
			p.t.Errorf("%q is not in\n%s", want, shown)
		}
	}
}

// TestHelpKeys: ? lists without Enter, Tab completes and lists, Space completes keywords only.
func TestHelpKeys(t *testing.T) {
	p := sit(t, 60)
	p.press("show ?")
	p.contains(p.expect("  version"), "Possible completions:\r\n", "  configuration", "Show the active configuration")
	p.expect("@gw> show ")

	p.press("sec\tfl ses sour")
	p.press("\t")
	p.expect("show security flow session source-p")
	p.press("\t")
	p.contains(p.expect("  source-prefix"), "  source-port")
	p.press("p\x15")

	p.press("sh v ")
	p.expect("show version ")
	p.press("?")
	p.contains(p.expect("Pipe through a command"), "<[Enter]>", "Execute this command")
	p.press("| ma?")
	p.contains(p.expect("Show only lines that match"), "match")
	p.press("\x15show s ")
	p.contains(p.expect("system"), `"s" is ambiguous.`, "schedulers", "security")
	p.press("\x15show security zones tr\t\r") // live names by Tab
	p.expect("show security zones trust")
	p.expect("Security zone: trust")
	p.expect("@gw> ")

	p.press("show version | match \"a?b\"\r") // ? is text inside quotes
	p.expect(`"a?b"`)
	p.expect("@gw> ")
	p.press("show nothing ?")
	p.expect(`unknown word "nothing" after "show"`)
	p.expect("@gw> show nothing ")
	p.press("\x15show nothing\r")
	p.expect("show nothing\r\n")
	p.contains(p.expect("hint:"), strings.Repeat(" ", len(p.user+"@gw> show "))+"^\r\n", "error: unknown word")
}

// TestConfigureKeys edits with help of the candidate's own names.
func TestConfigureKeys(t *testing.T) {
	p := sit(t, 60)
	p.press("configure\r")
	p.contains(p.expect("@gw# "), "[edit]\r\n")
	p.press("set security zones security-zone tr\tdesc ?")
	p.expect("set security zones security-zone trust description")
	p.expect("Text about this zone")
	p.expect("@gw# set security zones security-zone trust description ")
	p.press("\x15edit sec zon\r")
	p.contains(p.expect("@gw# "), "[edit security zones]\r\n")
	p.press("set security-zone dmz tcp-rst\r")
	p.expect("@gw# ")
	p.press("show | compare\r")
	p.contains(p.expect("@gw# "), "[edit security zones]", "+", "security-zone dmz")
	p.press("up\r")
	p.contains(p.expect("@gw# "), "[edit security]\r\n")
	p.press("top\r")
	p.contains(p.expect("@gw# "), "[edit]\r\n")
	p.press("set system host-nme x\r")
	p.contains(p.expect("@gw# "), strings.Repeat(" ", len(p.user+"@gw# set system "))+"^", "hint: did you mean host-name?")
	p.press("run show version | match Host\r")
	p.contains(p.expect("@gw# "), "Hostname: gw")
	p.press("set system host-name renamed\r")
	p.expect("@gw# ")
	p.press("commit and-quit\r")
	p.contains(p.expect("renamed> "), "commit complete")

	p.press("configure private\r")
	p.expect("renamed# ")
	p.press("load merge terminal\r")
	p.expect("[Type ^D at a new line to end input]")
	p.press("system {\r  host-name pasted;\r}\r\x04")
	p.expect("load complete")
	p.expect("renamed# ")
	p.press("exit\r")
	p.expect("Discard uncommitted changes? [yes,no] (yes) ")
	p.press("no\r")
	p.expect("renamed# ")
	p.press("exit\r")
	p.expect("(yes) ")
	p.press("\r")
	p.expect("renamed> ")
}

// TestPager stops at every screen, and only there.
func TestPager(t *testing.T) {
	p := sit(t, 6)
	p.press("show configuration | display set\r")
	p.expect("---(more ")
	p.press(" ")
	p.expect("> ")
	p.press("show version | no-more\r")
	if shown := p.expect("Processors"); strings.Contains(shown, "more") && strings.Contains(shown, "---(") {
		t.Errorf("no-more paged:\n%s", shown)
	}
	p.expect("> ")
	p.press("show version\r")
	p.expect("---(more ")
	p.press("q")
	if shown := p.expect("> "); strings.Contains(shown, "Processors") {
		t.Errorf("q went on:\n%s", shown)
	}
}

// TestInterrupt: Ctrl-C clears the line or ends what runs, and Ctrl-D leaves.
func TestInterrupt(t *testing.T) {
	p := sit(t, 60)
	p.press("show nonsense\x03")
	p.expect("@gw> ")
	p.press("show version | match Host | refresh 1\r")
	p.expect("---(refreshed at ")
	p.expect("Hostname: gw")
	p.press("\x03")
	p.expect("@gw> ")
	p.press("\x1b[A") // the newest line of the history
	p.expect("show version | match Host | refresh 1")
	p.press("\x03\x04")
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	p.code <- 0 // for the clean-up
}

// TestNotice: what others commit appears while a line is being typed.
func TestNotice(t *testing.T) {
	p := sit(t, 60)
	p.press("show ver")
	p.expect("show ver")
	if code := Main([]string{"-socket", p.socket, "-c", "configure; set system host-name other; commit confirmed 1"}, strings.NewReader(""), io.Discard, io.Discard); code != 0 {
		t.Fatal("the other shell failed")
	}
	p.contains(p.expect("unless somebody commits"), "*** ", "committed a configuration that is rolled back at ")
	p.expect("show ver")
}

// TestPasteIsText: blanks, tabs and question marks in pasted text mean nothing.
func TestPasteIsText(t *testing.T) {
	p := sit(t, 60)
	p.press("\x1b[200~sh ver | match Host?\r\x1b[201~")
	p.expect("sh ver | match Host?")
	p.expect("Hostname: gw")
}

// TestHistoryFile: the history is kept for the user alone.
func TestHistoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "history")
	h := loadHistory(path)
	for _, line := range []string{"one", "", "two", "two"} {
		h.Add(line)
	}
	if err := h.save(); err != nil {
		t.Fatal(err)
	}
	again := loadHistory(path)
	if again.Len() != 2 || again.At(0) != "two" || again.At(1) != "one" {
		t.Errorf("%v", again.lines)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestTerminal runs the whole program on a real terminal, and sees that it is left as it was.
func TestTerminal(t *testing.T) {
	socket := startGateway(t, t.Cleanup)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	master, slave := openTerminal(t)
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	screen := &transcript{}
	go io.Copy(screen, master) // ends when master is closed
	p := &sitter{t: t, keys: master, screen: screen, code: make(chan int, 1)}
	go func() { p.code <- Main([]string{"-socket", socket}, slave, slave, slave) }()
	p.expect("@gw> ")
	p.press("show version | match Host\r")
	p.expect("Hostname: gw")
	p.expect("@gw> ")
	p.press("exit\r")
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("the terminal is not as it was: %v", err)
	}
}

// openTerminal makes a pair of terminal ends.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// TestQuestions: on a terminal the gateway's questions are put to the person: no is the default, and a
// passphrase is neither shown nor kept.
func TestQuestions(t *testing.T) {
	p := sit(t, 60)
	dir := t.TempDir()
	root := filepath.Join(dir, "root.pem")
	p.press("request security pki generate-key-pair certificate-id root type ecdsa\r")
	p.expect("Generated key pair")
	p.press("request security pki local-certificate generate-self-signed certificate-id root subject CN=root add-ca-constraint\r")
	p.expect("successfully")
	p.press("request security pki local-certificate export certificate-id root type der\r")
	p.contains(p.expect("hint: "), "the answer is not text")
	p.press("request security pki local-certificate export certificate-id root filename " + root + "\r")
	p.expect("Certificate written")
	const load = "request security pki ca-certificate ca-profile-group load ca-group-name g filename "
	for _, no := range []string{"\r", "no\r", "\x04"} {
		p.press(load + root + "\r")
		p.expect("Do you want to load this CA certificate? [yes,no] (no) ")
		p.press(no)
		p.expect("@gw> ")
	}
	p.press("show security pki ca-certificate | count\r")
	p.expect("Count: 0 lines")
	p.press(load + root + "\r")
	p.expect("(no) ")
	p.press("yes\r")
	p.expect("Success[1] Skipped[0]")

	key := filepath.Join(dir, "key.pem")
	if err := os.WriteFile(key, lockedKey(t), 0o600); err != nil {
		t.Fatal(err)
	}
	p.press("request security pki local-certificate load filename " + root + " key " + key + " certificate-id new\r")
	p.expect("Passphrase of the private key: ")
	p.press("secret\r")
	p.contains(p.expect("public keys differ"), "does not belong to the certificate")
	if shown := p.screen.text.String(); strings.Contains(shown, "secret") {
		t.Errorf("the passphrase is shown:\n%s", shown)
	}
}

// lockedKey is a private key, encrypted with "secret".
func lockedKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := pkcs8.MarshalPrivateKey(key, []byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: locked})
}

// TestHistorySecrets: a line with a passphrase is not kept.
func TestHistorySecrets(t *testing.T) {
	h := loadHistory("")
	h.Add("req sec pki loc load cert c filename a key b pa example@1234")
	h.Add("request security pki local-certificate load filename a key b certificate-id c passphrase example@1234")
	h.Add("request security pki local-certificate load filename a key b certificate-id c")
	if h.Len() != 1 || strings.Contains(h.At(0), "passphrase") {
		t.Errorf("%q", h.lines)
	}
}
