package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"text/template"

	"sluice/tls/dn"
)

// profile is a configuration profile with one certificate, as Apple's Configuration Profile Reference
// has it.
var profile = template.Must(template.New("mobileconfig").Funcs(template.FuncMap{"xml": escapeXML}).Parse(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>{{.Identifier}}.cer</string>
			<key>PayloadContent</key>
			<data>{{.Certificate}}</data>
			<key>PayloadDescription</key>
			<string>Adds the certificate of an authority</string>
			<key>PayloadDisplayName</key>
			<string>{{xml .Name}}</string>
			<key>PayloadIdentifier</key>
			<string>{{.Type}}.{{.CertificateUUID}}</string>
			<key>PayloadType</key>
			<string>{{.Type}}</string>
			<key>PayloadUUID</key>
			<string>{{.CertificateUUID}}</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDescription</key>
	<string>Trust in the certificates of this network's gateway</string>
	<key>PayloadDisplayName</key>
	<string>{{xml .Name}}</string>
	<key>PayloadIdentifier</key>
	<string>sluice.root.{{.UUID}}</string>
	<key>PayloadRemovalDisallowed</key>
	<false/>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>{{.UUID}}</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
`))

// mobileConfig writes a configuration profile that adds c, a root to the trusted roots. Its identifiers come
// from the certificate, so that installing it again replaces it.
func mobileConfig(c *x509.Certificate) ([]byte, error) {
	if !c.IsCA {
		return nil, fmt.Errorf("%s is not a CA certificate: devices install no other as a root", dn.Comma(c.RawSubject))
	}
	kind := "com.apple.security.root"
	if !isSelfIssued(c) {
		kind = "com.apple.security.pkcs1"
	}
	sum := Fingerprint(c)
	name := c.Subject.CommonName
	if name == "" {
		name = dn.Comma(c.RawSubject)
	}
	var b bytes.Buffer
	err := profile.Execute(&b, map[string]string{
		"Name": name, "Type": kind, "Identifier": "root", "Certificate": base64.StdEncoding.EncodeToString(c.Raw),
		"UUID": uuid(sum[:16]), "CertificateUUID": uuid(sum[16:]),
	})
	return b.Bytes(), err
}

// uuid writes 16 bytes as a UUID of version 8 (RFC 9562, section 5.8).
func uuid(sum []byte) string {
	u := bytes.Clone(sum)
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// escapeXML makes text safe between tags.
func escapeXML(text string) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(text))
	return b.String(), err
}
