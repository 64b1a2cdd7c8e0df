package scenario

import (
	"net"
	"regexp"
	"strings"
	"testing"

	"sluice/lab"
)

// groups are the guide's groups: two of applications, then one of these.
const groups = `
set services application-identification application-group my_web
set services application-identification application-group my_web applications junos:HTTP
set services application-identification application-group my_web applications junos:FTP
set services application-identification application-group my_web applications junos:AMAZON
set services application-identification application-group my_web applications junos:GOPHER
set services application-identification application-group my_peer
set services application-identification application-group my_peer applications junos:BITTORRENT
set services application-identification application-group my_peer applications junos:BITTORRENT-APPLICATION
set services application-identification application-group my_peer applications junos:BITTORRENT-WEB-CLIENT
set services application-identification application-group p2p
set services application-identification application-group p2p application-groups my_web
set services application-identification application-group p2p application-groups my_peer
`

// taggedGroup is the guide's group by tags.
const taggedGroup = `
set services application-identification application-group GROUP-1 tag-group TAG-1 application-tags [web remote_access]
set services application-identification application-group GROUP-1 tag-group TAG-2 application-tags [social_networking]
`

// fetches says whether the client gets a page of the web server.
func (w *world) fetches(args ...string) bool {
	w.t.Helper()
	_, err := w.try(w.Client, "curl", append([]string{"-sS", "-k", "-m3", "-o/dev/null"}, args...)...)
	return err == nil
}

// greetSSH serves what begins like SSH, and echoes.
func (w *world) greetSSH(address string) {
	w.listen(w.Web, address, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
		buffer := make([]byte, 2048)
		for {
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			_, _ = c.Write(buffer[:n])
		}
	})
}

// A policy on a group of groups refuses what is in these, by content on any port, and nothing else; a
// member that leaves its group passes.
// Rows: AG-1, AG-2, AG-4 to AG-9, AG-16, AG-18 to AG-20, AG-23 to AG-25, ST-15 to ST-17, OC-4, OC-5, CS-3.
func TestApplicationGroups(t *testing.T) {
	w := start(t, lab.Options{}, groups+taggedGroup+`
set services application-identification application mine cacheable
set services application-identification application-group my_peer applications mine
`+
		forApplications("trust", "untrust", "no-p2p", "p2p", "reject", "log session-init")+lab.PermitAll)
	w.ftpServer(":21", lab.WebAddr4)
	w.greetSSH(":2222")
	web := []string{"http://" + lab.WebAddr4 + "/whoami"}
	if w.fetches(web...) || w.fetches("ftp://"+lab.WebAddr4+"/readme.txt") {
		t.Error("applications of the group's groups pass")
	}
	c := w.connect(lab.WebAddr4 + ":2222")
	if _, err := c.Read(make([]byte, 100)); err != nil {
		t.Errorf("SSH does not pass: %v", err)
	}
	if !w.fetches("https://" + lab.WebAddr4 + "/whoami") {
		t.Error("HTTPS, which is not in the group, does not pass")
	}
	const show = "show services application-identification group detail "
	if out := w.show(show + "my_web"); !strings.Contains(out, "application group my_web {\n    junos:HTTP;\n    junos:FTP;\n    junos:AMAZON;\n    junos:GOPHER;\n  }") {
		t.Errorf("group my_web is shown as\n%s", out)
	}
	if out := w.show(show + "GROUP-1"); !strings.Contains(out, "junos:TWITTER;") || strings.Contains(out, "junos:SSH;") {
		t.Errorf("the group by tags is shown as\n%s", out)
	}
	if out := w.show("show services application-identification group"); !strings.Contains(out, "p2p") || !strings.Contains(out, "junos:web") {
		t.Errorf("groups:\n%s", out)
	}
	unassigned := func() bool { return strings.Contains(w.show(show+"unassigned"), "    mine;") }
	if unassigned() {
		t.Error("a member of a group is unassigned")
	}
	w.configure("delete services application-identification application-group my_web applications junos:AMAZON",
		"delete services application-identification application-group my_web applications junos:HTTP",
		"delete services application-identification application-group my_peer applications mine")
	if out := w.show(show + "my_web"); strings.Contains(out, "AMAZON") || !strings.Contains(out, "junos:FTP;") {
		t.Errorf("after the deletion group my_web is\n%s", out)
	}
	if !unassigned() {
		t.Error("an application that has left its only group is not unassigned")
	}
	if !w.fetches(web...) {
		t.Error("HTTP does not pass after it has left the group")
	}
	for statement, want := range map[string]string{
		"set services application-identification application-group my_web application-groups p2p":         "p2p",
		"set services application-identification application-group junos:web applications junos:HTTP":     "junos:",
		"set services application-identification application-group my_web applications junos:AMAZOM":      "junos:AMAZON",
		"set services application-identification application-group my_web application-groups no_such_one": "no_such_one",
	} {
		if err := w.gw.Configure(t.Context(), statement); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a refusal that names %s", statement, err, want)
		}
	}
}

// A predefined group is disabled, copied, changed and renamed; its copy works in a policy, and it
// stays disabled over a restart, until it is enabled.
// Rows: AG-3, AG-10 to AG-15, AG-21, AG-22, OC-6 to OC-8.
func TestPredefinedGroupCopied(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll)
	const request = "request services application-identification group "
	group := "junos:infrastructure:file-servers"
	if out := w.show("show services application-identification group"); !strings.Contains(out, group) {
		t.Fatalf("there is no group %s:\n%s", group, out)
	}
	w.show(request + "disable " + group)
	w.show(request + group + " copy")
	if out, err := w.gw.Show(t.Context(), request+"enable "+group); err == nil {
		t.Errorf("a group is enabled over uncommitted changes: %s", out)
	}
	w.configure("set services application-identification application-group my:infrastructure:file-servers applications junos:HTTP",
		"rename services application-identification application-group my:infrastructure:file-servers to application-group files",
		"set security policies from-zone trust to-zone untrust policy no match source-address any",
		"set security policies from-zone trust to-zone untrust policy no match destination-address any",
		"set security policies from-zone trust to-zone untrust policy no match application any",
		"set security policies from-zone trust to-zone untrust policy no match dynamic-application files",
		"set security policies from-zone trust to-zone untrust policy no then reject",
		"insert security policies from-zone trust to-zone untrust policy no before policy all")
	w.ftpServer(":21", lab.WebAddr4)
	if w.fetches("ftp://"+lab.WebAddr4+"/readme.txt") || w.fetches("http://"+lab.WebAddr4+"/whoami") {
		t.Error("members of the copy pass")
	}
	disabled := func() bool {
		return regexp.MustCompile(regexp.QuoteMeta(group) + `\s+Yes`).MatchString(w.show("show services application-identification group"))
	}
	if !disabled() {
		t.Errorf("the group is not disabled:\n%s", w.show("show services application-identification group detail "+group))
	}
	if err := w.gw.Stop(0); err != nil && !strings.Contains(err.Error(), "killed") {
		t.Log(err)
	}
	var err error
	if w.gw, err = w.RestartGateway(t.Context(), w.gw.Dir); err != nil {
		t.Fatal(err)
	}
	if !disabled() {
		t.Error("after a restart the group is not disabled any more")
	}
	w.show(request + "enable " + group)
	if disabled() {
		t.Error("the group is still disabled")
	}
}

// What is encrypted is another application than what is not.
// Rows: AG-17.
func TestEncryptedVariants(t *testing.T) {
	w := start(t, lab.Options{}, forApplications("trust", "untrust", "web", "junos:HTTP", "permit"))
	if !w.fetches("http://"+lab.WebAddr4+"/whoami") || w.fetches("https://"+lab.WebAddr4+"/whoami") {
		t.Error("a policy for HTTP does not let HTTP pass, or lets HTTPS pass")
	}
	w.configure("set security policies from-zone trust to-zone untrust policy web match dynamic-application junos:HTTPS")
	if !w.fetches("http://"+lab.WebAddr4+"/whoami") || !w.fetches("https://"+lab.WebAddr4+"/whoami") {
		t.Error("a policy for both does not let both pass")
	}
}
