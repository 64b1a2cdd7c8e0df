package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sluice/lab"
)

// originPort is where a server of many names listens, and originDomain what they end in.
const (
	originPort   = 8500
	originDomain = "many.example.net"
	originNames  = 4000
)

// rootName is the common name of the authority whose certificates clients are shown.
const rootName = "Bench root"

// tlsPorts are where servers speak TLS.
var tlsPorts = []uint16{lab.ModernPort, lab.FullHandshakePort, originPort}

// file is a file of the mode's lab.
func (m *mode) file(name string) string { return filepath.Join(m.lab.Dir, name) }

// prepareTLS starts the server of many names, makes trusted.pem of the authorities of all servers, and
// an authority for the certificates that clients are shown: root.pem, root.key, both in rootboth.pem.
func (m *mode) prepareTLS(ctx context.Context) error {
	m.tls, m.issuer = true, rootName
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	origin, err := m.lab.Web.Start(tool, "origin", "-listen", fmt.Sprintf("%s:%d", lab.WebAddr4, originPort),
		"-ca", m.file("origin-ca.pem"), "-names", fmt.Sprint(originNames), "-domain", originDomain)
	if err != nil {
		return err
	}
	if err := origin.WaitListening(ctx, "tcp", originPort); err != nil {
		return err
	}
	// The tools take names, of which only the IPv4 address is to be used, and squid looks names up too.
	hosts := bytes.NewBufferString(lab.WebAddr4 + " " + lab.WebName + "\n")
	for i := range originNames {
		fmt.Fprintf(hosts, "%s h%d.%s\n", lab.WebAddr4, i, originDomain)
	}
	for _, h := range []*lab.Host{m.lab.Client, m.lab.Gateway} {
		if err := os.WriteFile(filepath.Join("/etc/netns", h.Namespace, "hosts"), hosts.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if _, err := m.lab.Gateway.Run(ctx, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-keyout", m.file("root.key"), "-out", m.file("root.pem"), "-subj", "/CN="+rootName, "-days", "2"); err != nil {
		return err
	}
	if _, err := m.lab.Gateway.Run(ctx, "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", m.file("leaf.key")); err != nil {
		return err
	}
	return errors.Join(
		join(m.file("trusted.pem"), m.lab.CA, m.file("origin-ca.pem")),
		join(m.file("rootboth.pem"), m.file("root.pem"), m.file("root.key")),
	)
}

// join writes the contents of files behind each other.
func join(to string, files ...string) error {
	var all []byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		all = append(all, text...)
	}
	return os.WriteFile(to, all, 0o600)
}

// startDirect starts nothing: clients speak to servers.
func startDirect(ctx context.Context, m *mode) error {
	if err := m.prepareTLS(ctx); err != nil {
		return err
	}
	m.issuer = ""
	return m.lab.RouteInKernel()
}

// sslProfile opens the TLS of every session for application tracking.
const sslProfile = `
set services ssl proxy profile inspect root-ca bench
set services ssl proxy profile inspect trusted-ca all
set security policies from-zone trust to-zone untrust policy all then permit application-services ssl-proxy profile-name inspect
set security zones security-zone trust application-tracking
`

// judged has each request of a session judged by its address, however many there are.
const judged = `
set security utm custom-objects url-pattern games value *.games.example
set security utm custom-objects custom-url-category GAMES value games
set security policies from-zone trust to-zone untrust policy leisure match source-address any
set security policies from-zone trust to-zone untrust policy leisure match destination-address any
set security policies from-zone trust to-zone untrust policy leisure match application any
set security policies from-zone trust to-zone untrust policy leisure match url-category GAMES
set security policies from-zone trust to-zone untrust policy leisure then deny
insert security policies from-zone trust to-zone untrust policy leisure before policy all
set services application-identification maximum-transactions 0
set security policies unified-policy max-lookups 65535
`

// startSSLProxy starts ours with a forward profile.
func startSSLProxy(ctx context.Context, m *mode) error { return startOpened(ctx, m, "") }

// startOpened is startSSLProxy with more statements.
func startOpened(ctx context.Context, m *mode, more string) error {
	if err := m.prepareTLS(ctx); err != nil {
		return err
	}
	if err := m.startGateway(ctx, ""); err != nil {
		return err
	}
	for _, command := range []string{
		"request security pki generate-key-pair certificate-id bench type ecdsa size 256",
		`request security pki local-certificate generate-self-signed certificate-id bench domain-name bench.example.net subject "CN=` + rootName + `" email admin@example.net add-ca-constraint`,
		"request security pki ca-certificate ca-profile-group load ca-group-name servers filename " + m.file("trusted.pem") + " | no-confirm",
	} {
		if _, err := m.gateway.Show(ctx, command); err != nil {
			return err
		}
	}
	return m.gateway.Configure(ctx, strings.Split(strings.TrimSpace(sslProfile+strings.TrimPrefix(more, "\n")), "\n")...)
}

// startRedirected starts a program on the gateway that takes over the sessions that the kernel redirects
// to its port. It finds their destination by SO_ORIGINAL_DST.
func (m *mode) startRedirected(ctx context.Context, port uint16, path string, args ...string) error {
	if err := m.lab.RouteInKernel(); err != nil {
		return err
	}
	var ports []string
	for _, p := range tlsPorts {
		ports = append(ports, fmt.Sprint(p))
	}
	rule := fmt.Sprintf("table ip bench { chain take { type nat hook prerouting priority dstnat; iifname lan0 tcp dport { %s } redirect to :%d; }; }",
		strings.Join(ports, ", "), port)
	if _, err := m.lab.Gateway.Run(ctx, "nft", rule); err != nil {
		return err
	}
	p, err := m.lab.Gateway.Start(path, args...)
	if err != nil {
		return &missingError{err.Error()}
	}
	m.process = p
	return p.WaitListening(ctx, "tcp", port)
}

// startSSLSplit starts sslsplit with the same kind of keys that ours has.
func startSSLSplit(ctx context.Context, m *mode) error {
	if err := m.prepareTLS(ctx); err != nil {
		return err
	}
	return m.startRedirected(ctx, 10443, "sslsplit", "-c", m.file("root.pem"), "-k", m.file("root.key"), "-K", m.file("leaf.key"),
		"-u", "root", "ssl", "0.0.0.0", "10443")
}

// squidConfig is squid as a transparent proxy that opens every session and keeps nothing.
const squidConfig = `
visible_hostname gateway.example.net
http_port 10080
https_port 10443 intercept ssl-bump tls-cert=DIR/rootboth.pem generate-host-certificates=on dynamic_cert_mem_cache_size=20MB
sslcrtd_program /usr/lib/squid/security_file_certgen -s DIR/squid/certificates -M 20MB
tls_outgoing_options cafile=DIR/trusted.pem
acl first at_step SslBump1
ssl_bump peek first
ssl_bump bump all
http_access allow all
host_verify_strict off
cache deny all
memory_pools on
access_log none
cache_log DIR/squid/cache.log
pid_filename DIR/squid/squid.pid
coredump_dir DIR/squid
shutdown_lifetime 0 seconds
max_filedescriptors 16384
pinger_enable off
`

// startSquid starts squid, which runs as the user that its package made.
func startSquid(ctx context.Context, m *mode) error {
	if err := m.prepareTLS(ctx); err != nil {
		return err
	}
	if err := os.Mkdir(m.file("squid"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(m.file("squid.conf"), []byte(strings.ReplaceAll(squidConfig, "DIR", m.lab.Dir)), 0o644); err != nil {
		return err
	}
	for _, command := range [][]string{
		{"/usr/lib/squid/security_file_certgen", "-c", "-s", m.file("squid/certificates"), "-M", "20MB"},
		{"chown", "-R", "proxy:proxy", m.file("squid"), m.file("rootboth.pem"), m.file("trusted.pem")},
	} {
		if out, err := m.lab.Gateway.Run(ctx, command[0], command[1:]...); err != nil {
			return &missingError{fmt.Sprintf("%v: %s", err, out)}
		}
	}
	return m.startRedirected(ctx, 10443, "squid", "-N", "-f", m.file("squid.conf"))
}

// haproxyConfig is HAProxy as a relay of plaintext that has a certificate for all servers.
const haproxyConfig = `
global
	nbthread 2
	maxconn 8000
	ssl-server-verify required
defaults
	mode tcp
	timeout connect 10s
	timeout client 10m
	timeout server 10m
frontend clients
	bind 0.0.0.0:10443 ssl crt DIR/leafboth.pem alpn h2,http/1.1
	use_backend http2 if { ssl_fc_alpn h2 }
	default_backend http1
backend http1
	server origin 0.0.0.0:0 ssl ca-file DIR/trusted.pem sni ssl_fc_sni
backend http2
	server origin 0.0.0.0:0 ssl ca-file DIR/trusted.pem sni ssl_fc_sni alpn h2
`

// startHAProxy starts HAProxy: terminate and encrypt again. It makes no certificates.
func startHAProxy(ctx context.Context, m *mode) error {
	if err := m.prepareTLS(ctx); err != nil {
		return err
	}
	if _, err := m.lab.Gateway.Run(ctx, "openssl", "req", "-x509", "-CA", m.file("root.pem"), "-CAkey", m.file("root.key"), "-key", m.file("leaf.key"),
		"-out", m.file("leaf.pem"), "-subj", "/CN="+lab.WebName, "-addext", "subjectAltName=DNS:"+lab.WebName, "-days", "2"); err != nil {
		return err
	}
	if err := join(m.file("leafboth.pem"), m.file("leaf.pem"), m.file("leaf.key")); err != nil {
		return err
	}
	if err := os.WriteFile(m.file("haproxy.cfg"), []byte(strings.ReplaceAll(haproxyConfig, "DIR", m.lab.Dir)), 0o600); err != nil {
		return err
	}
	m.names = originNames // none of which it has a certificate for
	return m.startRedirected(ctx, 10443, "haproxy", "-db", "-f", m.file("haproxy.cfg"))
}
