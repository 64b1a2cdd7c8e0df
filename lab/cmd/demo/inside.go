package main

import (
	"context"
	"path/filepath"
	"strings"

	"sluice/lab"
)

// decryption opens the TLS of the branch's web sessions, as far as servers may be believed.
const decryption = `
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect trusted-ca servers
set services ssl proxy profile inspect actions log info sessions-dropped
set security policies from-zone trust to-zone untrust policy web then permit application-services ssl-proxy profile-name inspect
`

// inside lets the gateway look into TLS: it makes a root certificate, which the client trusts from
// then on, and the client asks for pages by HTTPS.
func (d *demo) inside(ctx context.Context) {
	d.style.heading("What TLS holds")
	root := filepath.Join(d.lab.Dir, "root.pem")
	d.show(ctx, "request security pki generate-key-pair certificate-id branch-ca type ecdsa size 256")
	d.show(ctx, `request security pki local-certificate generate-self-signed certificate-id branch-ca domain-name ca.example.net subject "CN=Branch CA" add-ca-constraint`)
	d.show(ctx, "request security pki local-certificate export certificate-id branch-ca type pem filename "+root)
	d.show(ctx, "request security pki ca-certificate ca-profile-group load ca-group-name servers filename "+d.lab.CA+" | no-confirm")
	statements := strings.TrimSpace(decryption)
	d.style.command("gateway", "configure", statements)
	if err := d.gateway.Configure(ctx, strings.Split(statements, "\n")...); err != nil {
		d.fail(err.Error())
	}
	client := d.lab.Client
	curl := func(name string, args ...string) []string {
		return append([]string{"curl", "-sS", "-m", "10", "--cacert", root, "--connect-to", name + ":443:" + lab.WebAddr4 + ":443", "https://" + name + "/"}, args...)
	}
	d.do(ctx, []step{
		{title: "The server's name, in a certificate of the branch", host: client, want: []string{"Branch CA", "Verify return code: 0 (ok)"}, quiet: true,
			command: []string{"openssl", "s_client", "-connect", lab.WebAddr4 + ":443", "-servername", lab.WebName, "-CAfile", root, "-verify_hostname", lab.WebName}},
		{title: "A page by HTTP/2", host: client, command: curl(lab.WebName, "--http2", "-w", "by HTTP/%{http_version}"), want: []string{"hello from the internet", "by HTTP/2"}},
		{title: "The unwanted application gets its page under encryption too", host: client, command: curl(lab.VideoName), want: []string{"Not from this branch."}},
		{title: "A server that is not who it should be", host: client, command: curl("www.example.org"), fails: true, want: []string{"alert"}},
	})
	d.show(ctx, "show services ssl proxy counters info | match sessions", "sessions created")
}
