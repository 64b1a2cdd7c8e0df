package appid

import (
	"slices"
	"testing"
)

// Rows: CS-4, CS-26, CS-47, CS-48, CS-50, CS-51, AG-4, AG-5, AG-18, AG-19, AG-23, MA-28: the
// statements of the guide's examples are accepted as they stand.
func TestExamples(t *testing.T) {
	web := []string{
		"application-group my_web applications junos:HTTP", "application-group my_web applications junos:FTP",
		"application-group my_web applications junos:AMAZON", "application-group my_web applications junos:GOPHER",
	}
	peer := []string{
		"application-group my_peer applications junos:BITTORRENT", "application-group my_peer applications junos:BITTORRENT-APPLICATION",
		"application-group my_peer applications junos:BITTORRENT-WEB-CLIENT",
	}
	zones := []string{"security zones security-zone trust", "security zones security-zone untrust"}
	policy := "security policies from-zone untrust to-zone trust policy 1 match dynamic-application "
	for name, statements := range map[string][]string{
		"tags": {
			"application-group GROUP-1 tag-group TAG-1 application-tags [ web remote_access ]",
			"application-group GROUP-1 tag-group TAG-2 application-tags [ social_networking ]",
		},
		"custom applications": append(slices.Clone(zones),
			"custom-application-byte-limit 400", "application test cacheable", "application test priority high",
			"application my_custom_tcp over TCP signature s1 member m01 context stream",
			"application my_custom_tcp over TCP signature s1 member m01 pattern .*install.*",
			"application my_custom_tcp over TCP signature s1 member m01 direction any",
			"application my_custom_tcp over TCP signature s1 member m01 depth 100",
			"application my_custom_ftp over FTP signature sig1 member m01 depth 60",
			"application my_custom_ftp over FTP signature sig1 member m01 context ftp-file-name",
			"application my_custom_ftp over FTP signature sig1 member m01 pattern .*install.*",
			"application my_custom_ftp over FTP signature sig1 member m01 direction client-to-server",
			"application my_custom_http over HTTP signature s1 member m01 context http-header-host",
			"application my_custom_http over HTTP signature s1 member m01 pattern .*agent1.*",
			"application my_custom_http over HTTP signature s1 member m01 direction client-to-server",
			"application my_custom_http over HTTP signature s1 member m01 depth 100",
			"application my_custom_ssl over SSL signature s1 member m01 context ssl-server-name",
			`application my_custom_ssl over SSL signature s1 member m01 pattern "example\\.com"`,
			"application my_custom_ssl over SSL signature s1 member m01 direction client-to-server",
			"application my_custom_ssl over SSL signature s1 member m01 depth 100",
			"application my_custom_icmp icmp-mapping type 100", "application my_custom_icmp icmp-mapping code 1",
			"application my_custom_address address-mapping ADDR-SAMPLE filter ip 192.0.2.1/24",
			"application my_custom_address address-mapping ADDR-SAMPLE filter port-range udp 5000-6000",
			"application my_custom_ip_proto ip-protocol-mapping protocol 2",
			policy+"my_custom_http", "security zones security-zone trust application-tracking"),
		"groups":            append(slices.Clone(web), peer...),
		"groups of groups":  append(append(slices.Clone(web), peer...), "application-group p2p application-groups my_web", "application-group p2p application-groups my_peer"),
		"empty group":       {"application-group my_web"},
		"one member less":   web[:3],
		"micro-application": append(slices.Clone(zones), "micro-apps", policy+"[ junos:MODBUS-READ-COILS junos:MODBUS-WRITE-SINGLE-COIL junos:MODBUS-WRITE-MULTIPLE-COILS ]"),
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, Options{})
			if problems := g.commit(statements...); len(problems) != 0 {
				t.Errorf("problems %v", problems)
			}
			if alarms := g.Alarms(); len(alarms) != 0 {
				t.Errorf("alarms %+v", alarms)
			}
			switch name {
			case "custom applications":
				test, _ := g.Catalogue().Lookup("test")
				if test == nil || test.TypeName() != "TEST" || test.Priority.String() != "high" || !test.Custom {
					t.Errorf("test is %+v", test)
				}
			case "groups of groups":
				if members, _ := g.Catalogue().Group("p2p"); len(members) != 7 {
					t.Errorf("%d members of p2p", len(members))
				}
			}
		})
	}
}

// Rows: MA-23: with micro-applications in a policy, only those of the same applications are told.
func TestFollowed(t *testing.T) {
	g := start(t, Options{}, "micro-apps")
	if got := g.current.Load().micros; got != nil {
		t.Errorf("without a policy: %q", got)
	}
	g.commit("micro-apps", "security zones security-zone a", "security policies global policy p match dynamic-application junos:MODBUS-READ-COILS")
	got := g.current.Load().micros
	if !slices.Contains(got, "junos:MODBUS-READ-COILS") || !slices.Contains(got, "junos:MODBUS-WRITE-SINGLE-COIL") {
		t.Errorf("micro-applications of MODBUS are missing: %q", got)
	}
	for _, name := range got {
		if a, _ := g.Catalogue().Lookup(name); a.Of != "junos:MODBUS" {
			t.Errorf("%s is of %s", name, a.Of)
		}
	}
}
