package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Names that the lab's DNS server knows, each with an A and an AAAA record.
const (
	WebName      = "www.example.net"
	WebNameLink1 = "www1.example.net"
	EchoName     = "echo.example.net"
	DNSName      = "ns.example.net"
	LargeName    = "large.example.net" // a TXT record of 3,000 bytes, which UDP answers truncate
)

// VideoName is a name that the DNS server does not know, and that the web server's certificate is for.
const VideoName = "www.youtube.com"

// Ports of the echo server. Each takes TCP; PortEcho and PortWho take UDP too.
const (
	PortEcho   = 7    // sends back what arrives
	PortCount  = 7001 // reads until the client's FIN, then answers with the number of bytes
	PortReset  = 7002 // resets the connection after the first byte
	PortSilent = 7003 // accepts, reads and never answers
	PortWho    = 7004 // answers with the client's address and port as the server sees them
	PortClosed = 7999 // nobody listens
)

// Further ports where the web server serves HTTPS, in TLS 1.2 and 1.3.
const (
	ModernPort        = 10443
	FullHandshakePort = 10444 // never taking up an earlier session
)

// IPerfPort is where iperf3 listens on the web server.
const IPerfPort = 5201

// startServers starts web, DNS and echo servers and waits until they listen.
func (l *Lab) startServers(ctx context.Context) error {
	tool, err := Binary("labhost")
	if err != nil {
		return err
	}
	nginx, err := l.configureWeb()
	if err != nil {
		return err
	}
	servers := []struct {
		host    *Host
		network string
		port    uint16
		command []string
	}{
		{l.Web, "tcp", 443, []string{"nginx", "-c", nginx}},
		{l.Web, "tcp", IPerfPort, []string{"iperf3", "--server", "--port", fmt.Sprint(IPerfPort)}},
		{l.DNS, "udp", 53, []string{tool, "dns",
			"-record", WebName + "=" + WebAddr4 + "," + WebAddr6,
			"-record", WebNameLink1 + "=" + WebAddr4Link1 + "," + WebAddr6Link1,
			"-record", EchoName + "=" + EchoAddr4 + "," + EchoAddr6,
			"-record", DNSName + "=" + DNSAddr4 + "," + DNSAddr6,
			"-large", LargeName}},
		{l.Echo, "tcp", PortWho, []string{tool, "echo",
			"-echo", fmt.Sprint(PortEcho), "-count", fmt.Sprint(PortCount), "-reset", fmt.Sprint(PortReset),
			"-silent", fmt.Sprint(PortSilent), "-who", fmt.Sprint(PortWho)}},
	}
	for _, s := range servers {
		p, err := s.host.Start(s.command[0], s.command[1:]...)
		if err != nil {
			return err
		}
		if err := p.WaitListening(ctx, s.network, s.port); err != nil {
			return err
		}
	}
	return nil
}

// DownloadSize is the size of the file /download on the web server, in bytes.
const DownloadSize = 64 << 20

// configureWeb writes nginx's configuration, certificate and pages, and returns the configuration's path.
func (l *Lab) configureWeb() (string, error) {
	dir := filepath.Join(l.Dir, "web")
	if err := os.MkdirAll(filepath.Join(dir, "pages/upload"), 0o755); err != nil {
		return "", err
	}
	l.CA = filepath.Join(dir, "ca.pem")
	if err := certify(l.CA, filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"),
		[]string{WebName, WebNameLink1, VideoName}, []string{WebAddr4, WebAddr6, WebAddr4Link1, WebAddr6Link1}); err != nil {
		return "", fmt.Errorf("certificate of the web server: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pages/index.html"), []byte("hello from the internet\n"), 0o644); err != nil {
		return "", err
	}
	download, err := os.Create(filepath.Join(dir, "pages/download"))
	if err != nil {
		return "", err
	}
	defer download.Close()
	if err := download.Truncate(DownloadSize); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "nginx.conf")
	return path, os.WriteFile(path, []byte(strings.ReplaceAll(nginxConfig, "DIR", dir)), 0o644)
}

// nginxConfig serves pages/ over HTTP and HTTPS, says who asks under /whoami and takes PUT below
// /upload/. DIR stands for the server's directory.
const nginxConfig = `
user root;
daemon off;
worker_processes 2;
worker_rlimit_nofile 65536;
pid DIR/nginx.pid;
error_log DIR/error.log warn;
events { worker_connections 32768; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000;
	default_type text/plain;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	client_max_body_size 0;
	server {
		listen 80 backlog=16384;
		listen [::]:80 backlog=16384;
		listen 443 ssl http2;
		listen [::]:443 ssl http2;
		ssl_certificate DIR/server.pem;
		ssl_certificate_key DIR/server.key;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_early_data on;
		root DIR/pages;
		location = /whoami { return 200 "$remote_addr\n"; }
		location /upload/ { dav_methods PUT; create_full_put_path on; }
	}
	server {
		listen 10443 ssl http2 backlog=16384;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_certificate DIR/server.pem;
		ssl_certificate_key DIR/server.key;
		root DIR/pages;
	}
	server {
		listen 10444 ssl http2 backlog=16384;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_certificate DIR/server.pem;
		ssl_certificate_key DIR/server.key;
		ssl_session_cache off;
		ssl_session_tickets off;
		root DIR/pages;
	}
}
`
