package scenario

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/lab"
)

// Examples of the guide, word for word. What the lab has in common with their topology is its own:
// zones, links and addresses.
const (
	exampleUnified = `
set security dynamic-application profile profile1 redirect-message type custom-text content "THIS APPLICATION IS BLOCKED"
set security policies from-zone trust to-zone untrust policy policy-1 match source-address any
set security policies from-zone trust to-zone untrust policy policy-1 match destination-address any
set security policies from-zone trust to-zone untrust policy policy-1 match application any
set security policies from-zone trust to-zone untrust policy policy-1 match dynamic-application junos:YAHOO-MAIL
set security policies from-zone trust to-zone untrust policy policy-1 match dynamic-application junos:FACEBOOK-ACCESS
set security policies from-zone trust to-zone untrust policy policy-1 then reject profile profile1
set security policies default-policy permit-all
set security zones security-zone trust host-inbound-traffic system-services all
set security zones security-zone trust interfaces ge-0/0/0.0
set security zones security-zone untrust host-inbound-traffic system-services all
set security zones security-zone untrust interfaces ge-0/0/1.0
set interfaces ge-0/0/0 unit 0 family inet address 4.0.0.254/24
set interfaces ge-0/0/1 unit 0 family inet address 5.0.0.254/24
`
	exampleDenySome = `
set security policies from-zone untrust to-zone trust policy policy1 match source-address any
set security policies from-zone untrust to-zone trust policy policy1 match destination-address any
set security policies from-zone untrust to-zone trust policy policy1 match application junos-http
set security policies from-zone untrust to-zone trust policy policy1 then permit application-services application-firewall rule-set rs1
set security application-firewall rule-sets rs1 rule r1 match dynamic-application [junos:FACEBOOK-CHAT junos:FACEBOOK-FARMVILLE]
set security application-firewall rule-sets rs1 rule r1 then deny
set security application-firewall rule-sets rs1 default-rule permit
`
	examplePermitSome = `
set security policies from-zone untrust to-zone trust policy policy2 match source-address any
set security policies from-zone untrust to-zone trust policy policy2 match destination-address any
set security policies from-zone untrust to-zone trust policy policy2 match application any
set security policies from-zone untrust to-zone trust policy policy2 then permit application-services application-firewall rule-set rs2
set security application-firewall rule-sets rs2 rule r1 match dynamic-application [junos:FACEBOOK-ACCESS junos:UNKNOWN]
set security application-firewall rule-sets rs2 rule r1 then permit
set security application-firewall rule-sets rs2 default-rule deny
`
	exampleGroups = `
set security application-firewall rule-sets social-network rule google-rule match dynamic-application junos:GOOGLETALK
set security application-firewall rule-sets social-network rule google-rule then permit
set security application-firewall rule-sets social-network rule denied-sites match dynamic-application-group junos:social-networking
set security application-firewall rule-sets social-network rule denied-sites match dynamic-application junos:UNKNOWN
set security application-firewall rule-sets social-network rule denied-sites then deny
set security application-firewall rule-sets social-network default-rule permit
set security policies from-zone trust to-zone untrust policy outbound-traffic match source-address any
set security policies from-zone trust to-zone untrust policy outbound-traffic match destination-address any
set security policies from-zone trust to-zone untrust policy outbound-traffic match application junos-http
set security policies from-zone trust to-zone untrust policy outbound-traffic then permit application-services application-firewall rule-set social-network
`
	exampleText = `
set security application-firewall profile Redirect-Profile block-message type custom-text content "YOUR APPLICATION IS BLOCKED AS PER THE ORGANIZATION POLICY"
set security application-firewall rule-sets Ruleset-1 rule 1 match dynamic-application junos:FACEBOOK-CHAT
set security application-firewall rule-sets Ruleset-1 rule 1 then reject block-message
set security application-firewall rule-sets Ruleset-1 profile Redirect-Profile
`
	exampleAddress = `
set security application-firewall profile Redirect-Profile block-message type custom-redirect-url content http://abc.company.com/information
set security application-firewall rule-sets Ruleset-1 rule 1 match dynamic-application junos:FACEBOOK-CHAT
set security application-firewall rule-sets Ruleset-1 rule 1 then reject block-message
set security application-firewall rule-sets Ruleset-1 profile Redirect-Profile
`
)

// What the two fragments leave out.
var fragmentsLeaveOut = "set security application-firewall rule-sets Ruleset-1 default-rule permit\n" + ruled("all", "any", "Ruleset-1")

// The guide's examples of policies by application and of the application firewall, each committed as
// it is printed, do what the guide says of them: inwards, from outside to a web server of the branch,
// and outwards.
// Rows: FW-3, FW-6, FW-12, FW-14, FW-19, FW-30, FW-32, FW-37, FW-38, FW-39, FW-46, FW-47.
func TestGuideExamples(t *testing.T) {
	t.Parallel() // it mostly waits
	const (
		served  = "HTTP/1.1 200 "
		silence = "timed out"
	)
	w := start(t, lab.Options{}, "")
	w.listen(w.Client, ":80", func(c *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes")
		}
	})
	for _, example := range []struct {
		name, statements string
		inwards          bool
		want             map[string]string // what the client of a host name gets
	}{
		{"unified policy", exampleUnified, false, map[string]string{
			"mail.yahoo.com": "THIS APPLICATION IS BLOCKED", "www.facebook.com": "THIS APPLICATION IS BLOCKED", "www.example.net": served}},
		{"deny some, permit the rest", exampleDenySome, true, map[string]string{
			"www.messenger.com": silence, "www.farmville.com": silence, "www.facebook.com": served, "www.example.net": served}},
		{"permit some, deny the rest", examplePermitSome, true, map[string]string{
			"www.facebook.com": served, "www.youtube.com": silence}},
		{"groups", exampleGroups, false, map[string]string{
			"chat.google.com": served, "www.linkedin.com": silence, "www.example.net": served}},
		{"text", exampleText + fragmentsLeaveOut, false, map[string]string{
			"www.messenger.com": "YOUR APPLICATION IS BLOCKED AS PER THE ORGANIZATION POLICY", "www.example.net": served}},
		{"address", exampleAddress + fragmentsLeaveOut, false, map[string]string{
			"www.messenger.com": "Location: http://abc.company.com/information\r\n", "www.example.net": served}},
	} {
		w.configure(strings.Split(example.statements, "\n")...)
		client, server := w.Client, lab.WebAddr4
		if example.inwards {
			client, server = w.Web, lab.ClientAddr4
		}
		for host, want := range example.want {
			out, err := w.try(client, "curl", "-sS", within(want != silence), "-i", "-H", "Host: "+host, fmt.Sprintf("http://%s/", server))
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s: %v %q, want %q", example.name, host, err, out, want)
			}
		}
		w.configure("rollback 1")
	}
}
