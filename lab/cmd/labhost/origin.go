package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"time"
)

// runOrigin serves HTTPS under many names, each with a certificate of its own, of an authority that it
// makes. No session of a client can be taken up again.
func runOrigin(args []string) error {
	flags := flag.NewFlagSet("origin", flag.ContinueOnError)
	listen := flags.String("listen", ":8500", "ADDRESS:PORT to listen on")
	caFile := flags.String("ca", "", "file that the authority's certificate is written to")
	count := flags.Int("names", 1000, "names: h0, h1, ... below -domain")
	domain := flags.String("domain", "many.example.net", "what the names end in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	certificates, authority, err := certificatesOf(*count, *domain)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*caFile, authority, 0o644); err != nil {
		return err
	}
	server := &http.Server{
		Addr:    *listen,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") }),
		TLSConfig: &tls.Config{
			SessionTicketsDisabled: true,
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				if c := certificates[hello.ServerName]; c != nil {
					return c, nil
				}
				return nil, fmt.Errorf("no server %q here", hello.ServerName)
			},
		},
	}
	return server.ListenAndServeTLS("", "")
}

// certificatesOf makes an authority and a certificate for each name.
func certificatesOf(count int, domain string) (map[string]*tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of " + domain},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	list := make(map[string]*tls.Certificate, count)
	for i := range count {
		name := fmt.Sprintf("h%d.%s", i, domain)
		server := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		der, err := x509.CreateCertificate(rand.Reader, server, ca, key.Public(), key)
		if err != nil {
			return nil, nil, err
		}
		list[name] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	return list, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
