package main

import (
	"bytes"
	"strings"
	"testing"
)

// zones are what the guide's examples take for granted.
const zones = `set security zones security-zone trust
set security zones security-zone untrust
`

// permitAll is the beginning of the policies of the guide's examples.
func permitAll(from, to, policy string) string {
	path := "set security policies from-zone " + from + " to-zone " + to + " policy " + policy
	return path + " match source-address any\n" + path + " match destination-address any\n" + path + " match application any\n" +
		path + " then permit application-services "
}

// The worked examples of the guide about the SSL proxy are accepted, with what they leave out added.
// Rows: 5/S-1 to 5/S-32, 5/S-44, 5/S-46, 5/S-48, 5/S-52 to 5/S-59, T-25, T-26, T-28, T-29.
func TestGuideExamplesOfSSL(t *testing.T) {
	const rootCA = "set services ssl proxy profile %s root-ca ssl-inspect-ca\nset services ssl proxy profile %s trusted-ca all\n"
	forward := func(profile string) string { return strings.ReplaceAll(rootCA, "%s", profile) }
	for name, statements := range map[string]string{
		"forward proxy (14350)": zones + `set services ssl proxy profile SECURITY-SSL-PROXY root-ca SECURITY-cert
set services ssl proxy profile SECURITY-SSL-PROXY trusted-ca all
` + permitAll("trust", "untrust", "SECURITY_POLICY") + "ssl-proxy profile-name SECURITY-SSL-PROXY",
		"certificate chain (13684)": zones + `set services ssl proxy profile ssl-profile trusted-ca all
set services ssl proxy profile ssl-profile root-ca ssl-inspect-ca
` + permitAll("trust", "untrust", "1") + "ssl-proxy profile-name ssl-profile",
		"performance settings (13848)": `set services ssl proxy global-config certificate-cache-timeout 300
set services ssl proxy global-config disable-cert-cache
set services ssl proxy global-config invalidate-cache-on-crl-update
set services ssl proxy global-config session-cache-timeout 300
set services ssl proxy global-config mail-threshold byte-threshold 100
set services ssl proxy global-config mail-threshold packet-threshold 2`,
		"custom ciphers (14210)": forward("profile-name") + `set services ssl proxy profile profile-name preferred-ciphers custom
set services ssl proxy profile profile-name custom-ciphers ecdhe-ecdsa-with-aes-256-cbc-sha384
set services ssl proxy profile profile-name custom-ciphers ecdhe-ecdsa-with-aes-128-cbc-sha256`,
		"4096-bit certificates (14240)": `set services ssl proxy profile sslfp-proxy-profile trusted-ca all
set services ssl proxy profile sslfp-proxy-profile root-ca ssl-inspect-ca
set services ssl proxy profile sslfp-proxy-profile actions allow-strong-certificate
set services ssl proxy profile server-protection-profile server-certificate ssl-server-protection
set services ssl proxy profile server-protection-profile actions allow-strong-certificate`,
		"CA profile (14633)": `set security pki ca-profile ca-profile-security ca-identity example.com
set security pki ca-profile ca-profile-security ca-identity example.com revocation-check disable
set services ssl proxy profile ssl-proxy-sample root-ca ssl-inspect-ca
set services ssl proxy profile ssl-proxy-sample trusted-ca ca-profile-security`,
		"reverse proxy (14817)": zones + `set services ssl proxy profile server-protection-profile server-certificate server1_cert_id
set services ssl proxy profile server-protection-profile server-certificate [server1_cert_id server2_cert_id]
set services ssl proxy profile server-protection-profile actions logs all
` + permitAll("untrust", "trust", "1") + "ssl-proxy profile-name server-protection-profile",
		"kinds of exempt addresses (14974)": forward("p") + `set security address-book global address address-4 192.0.2.117
set security address-book global address address-2 range-address 192.0.2.117 to 192.0.2.199
set security address-book global address address-3 wildcard-address 203.0.113.0/24
set security address-book global address address-1 dns-name www.abc.com
set security address-book global address address-5 FE80::/10
set services ssl proxy profile p whitelist [ address-1 address-2 address-3 address-4 address-5 ]`,
		"exempt domain (15025)": forward("profile-1") + `set security address-book global address address-1 dns-name www.mycompany.com
set services ssl proxy profile profile-1 whitelist address-1`,
		"exempt category (15064)": zones + forward("pr1") + `set security utm custom-objects url-pattern finance value *.bank.example
set security utm custom-objects custom-url-category Enhanced_Financial_Data_and_Services value finance
set security utm utm-policy UTM-POLICY-1 web-filtering http-profile junos-wf-enhanced-default
set services ssl proxy profile pr1 whitelist-url-categories Enhanced_Financial_Data_and_Services
` + permitAll("trust", "untrust", "p1") + "utm-policy UTM-POLICY-1\n" + permitAll("trust", "untrust", "p1") + "ssl-proxy profile-name pr1",
		"exempt category of one's own (15102)": zones + forward("pr1") + `set security utm custom-objects url-pattern URL-1 value www.example.com
set security utm custom-objects custom-url-category CATEGORY-1 value URL-1
set security utm feature-profile web-filtering juniper-local profile PROFILE-1 category CATEGORY-1 action permit
set security utm utm-policy UTM-POLICY-1 web-filtering http-profile PROFILE-1
set services ssl proxy profile pr1 whitelist-url-categories CATEGORY-1
` + permitAll("trust", "untrust", "p1") + "utm-policy UTM-POLICY-1\n" + permitAll("trust", "untrust", "p1") + "ssl-proxy profile-name pr1",
		"default profile, reverse (15386)": `set services ssl proxy profile server-protection-profile server-certificate server1_certificate-id
set security ngfw default-profile ssl-proxy profile-name server-protection-profile`,
		"default profile, unified policy (15419)": zones + forward("SSL-FP-PROFILE-1") + `set security ngfw default-profile ssl-proxy profile-name SSL-FP-PROFILE-1
set security policies from-zone untrust to-zone trust policy from_internet match dynamic-application any
` + permitAll("untrust", "trust", "from_internet") + "ssl-proxy profile-name SSL-FP-PROFILE-1",
		"mirroring (16210)": zones + forward("profile-1") + `set interfaces ge-0/0/2 device eth2
set interfaces ge-0/0/2 unit 0
set services ssl proxy profile profile-1 mirror-decrypt-traffic interface ge-0/0/2.0
set services ssl proxy profile profile-1 mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f
set services ssl proxy profile profile-1 mirror-decrypt-traffic only-after-security-policies-enforcement
` + permitAll("trust", "untrust", "policy-1") + "ssl-proxy profile-name profile-1",
		"initiation and termination (14273, 15679)": `set services ssl initiation profile icap-tls trusted-ca all
set services ssl initiation profile icap-tls actions ignore-server-auth-failure
set services ssl initiation profile icap-tls actions crl disable
set services ssl initiation profile icap-tls custom-ciphers tls12-ecdhc-ecdsa-aes-256-gcm-sha384
set services ssl termination profile portal server-certificate server
set services ssl termination profile portal custom-ciphers tls12-ecdhc-ecdsa-chacha20-poly1305-sha256`,
		"actions (13767 to 13949, 14617)": forward("p") + `set services ssl proxy profile p actions ignore-server-auth-failure
set services ssl proxy profile p actions crl disable
delete services ssl proxy profile p actions crl disable
set services ssl proxy profile p actions crl if-not-present allow
set services ssl proxy profile p actions crl if-not-present drop
set services ssl proxy profile p actions crl ignore-hold-instruction-code
set services ssl proxy profile p actions disable-session-resumption
set services ssl proxy profile p actions log sessions-whitelisted
set services ssl proxy profile p actions log sessions-allowed
set services ssl proxy profile p actions log sessions-dropped
set services ssl proxy profile p actions log sessions-ignored
set services ssl proxy profile p actions log errors
set services ssl proxy profile p actions log warning
set services ssl proxy profile p actions log info
set services ssl proxy profile p enable-flow-tracing`,
		"traces (16509)": `set services ssl traceoptions file ssl-trace
set services ssl traceoptions level detail
set services ssl traceoptions flag cli-configuration
set services ssl traceoptions flag [ initiation proxy termination selected-profile ]`,
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := checkMain([]string{"--commit", "-"}, strings.NewReader(statements+"\n"), &out, &errs); code != 0 {
				t.Errorf("exit code %d\n%s%s", code, &out, &errs)
			}
		})
	}
}

// What the guide says a commit must refuse is refused, also where no gateway is at hand.
// Rows: SP-8, 5/O-20, DM-13, T-24, T-27, T-29.
func TestSSLStatementsRefused(t *testing.T) {
	for statements, want := range map[string]string{
		"set services ssl proxy profile p trusted-ca all":                                                                                  "one of root-ca (forward proxy) and server-certificate (reverse proxy) must be set",
		"set services ssl proxy profile p root-ca a\nset services ssl proxy profile p server-certificate b":                                "cannot both be set",
		"set services ssl proxy profile p server-certificate a passphrase example@1234":                                                    "passphrase",
		"set services ssl proxy profile p server-certificate a\nset services ssl proxy profile p custom-ciphers rsa-with-3des-ede-cbc-sha": "not supported any more",
		"set security ngfw default-profile ssl-proxy profile-name none":                                                                    `"none" is not defined`,
		"set security ngfw default-profile ssl-proxy":                                                                                      "profile-name",
		zones + permitAll("trust", "untrust", "1") + "ssl-proxy server-protection-profile":                                                 "server-protection-profile",
		"set services ssl proxy profile p server-certificate a\nset services ssl proxy profile p mirror-decrypt-traffic interface st0.0":   "destination-mac-address",
	} {
		var out, errs bytes.Buffer
		if code := checkMain([]string{"--commit", "-"}, strings.NewReader(statements+"\n"), &out, &errs); code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("%s\nexit code %d, want %q:\n%s%s", statements, code, want, &out, &errs)
		}
	}
}
