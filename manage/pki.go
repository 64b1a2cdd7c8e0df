package manage

import (
	"fmt"
	"net/netip"
	"strconv"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/store/schema"
	"sluice/tls/pki"
)

// pkiHelp is the help of every word that leads to a command of certificates.
var pkiHelp = map[string]string{
	"clear security pki":                                          "Remove keys and certificates",
	"clear security pki ca-certificate":                           "Remove certificates of authorities",
	"clear security pki certificate-request":                      "Forget certificate requests",
	"clear security pki crl":                                      "Forget revocation lists, so that they are fetched anew",
	"clear security pki key-pair":                                 "Remove key pairs for good",
	"clear security pki local-certificate":                        "Remove certificates of the gateway; their key pairs stay",
	"request security pki":                                        "Make, load and hand out keys and certificates",
	"request security pki ca-certificate":                         "Work with certificates of authorities",
	"request security pki ca-certificate ca-profile-group":        "Work with many certificates at once",
	"request security pki ca-certificate ca-profile-group load":   "Load all certificates of a file as a group",
	"request security pki ca-certificate load":                    "Load the certificate of a CA profile",
	"request security pki ca-certificate verify":                  "Check that the certificate of a CA profile is valid",
	"request security pki crl":                                    "Work with revocation lists",
	"request security pki crl load":                               "Load a revocation list from a file",
	"request security pki generate-certificate-request":           "Make a certificate request (PKCS #10) for a key pair",
	"request security pki generate-key-pair":                      "Make a key pair",
	"request security pki local-certificate":                      "Work with certificates of the gateway",
	"request security pki local-certificate export":               "Hand out a certificate without its key",
	"request security pki local-certificate generate-self-signed": "Make a self-signed certificate for a key pair",
	"request security pki local-certificate load":                 "Load a certificate and its key",
	"request security pki local-certificate verify":               "Check that a certificate is valid and chains to an authority that is loaded",
	"show security pki":                                           "Show keys and certificates",
	"show security pki ca-certificate":                            "Show certificates of authorities",
	"show security pki certificate-request":                       "Show certificate requests",
	"show security pki crl":                                       "Show revocation lists",
	"show security pki key-pair":                                  "Show key pairs",
	"show security pki local-certificate":                         "Show certificates of the gateway",
	"show services ssl":                                           "Show information of SSL services",
	"show services ssl certificate":                               "Show certificates that SSL services can use",
	"show services ssl certificate all":                           "Show their identifiers",
	"show services ssl certificate brief":                         "Show a certificate in a few lines",
	"show services ssl certificate detail":                        "Show everything about a certificate",
}

var pkiCommands = []command.Command[handler]{
	{Words: "clear security pki ca-certificate", Also: "clear security pki ca-certificates", Options: []command.Option{
		{Name: "ca-profile", Help: "Certificate of this profile", Value: caProfileValue, Group: "which"},
		{Name: "ca-profile-group", Help: "All certificates of this group", Value: caGroupValue, Group: "which"},
		{Name: "all", Help: "All certificates of profiles and groups", Group: "which"},
	}, Do: clearCAs},
	{Words: "clear security pki certificate-request", Options: clearOptions, Do: clearLocal((*pki.Store).ClearRequest, hasRequest)},
	{Words: "clear security pki crl", Options: []command.Option{
		{Name: "ca-profile", Help: "Lists of this authority", Value: caProfileValue, Group: "which"},
		{Name: "all", Help: "All lists, and what OCSP responders answered", Group: "which"},
	}, Do: clearCRLs},
	{Words: "clear security pki key-pair", Options: clearOptions, Do: clearLocal((*pki.Store).ClearKeyPair, hasNoCertificate)},
	{Words: "clear security pki local-certificate", Options: clearOptions, Do: clearLocal((*pki.Store).ClearCertificate, hasCertificate)},
	{Words: "request security pki ca-certificate ca-profile-group load", Also: "request security pki ca-certificates ca-profile-group load", Options: []command.Option{
		{Name: "ca-group-name", Help: "Group that the certificates make", Required: true, Value: caGroupValue},
		{Name: "filename", Help: "File with the certificates (PEM), or default: those that the system comes with", Required: true, Value: fileNameValue},
	}, Do: loadCAGroup},
	{Words: "request security pki ca-certificate load", Also: "request security pki ca-certificates load", Options: []command.Option{
		{Name: "ca-profile", Help: "Profile, which the configuration has", Required: true, Value: caProfileValue},
		{Name: "filename", Help: "File with the certificate (PEM or DER)", Required: true, Value: fileNameValue},
	}, Do: loadCA},
	{Words: "request security pki ca-certificate verify", Also: "request security pki ca-certificates verify", Options: []command.Option{
		{Name: "ca-profile", Help: "Profile, or member of a group", Required: true, Value: caProfileValue},
	}, Do: verifyCA},
	{Words: "request security pki crl load", Options: []command.Option{
		{Name: "ca-profile", Help: "Authority whose list it is", Required: true, Value: caProfileValue},
		{Name: "filename", Help: "File with the list (PEM or DER)", Required: true, Value: fileNameValue},
	}, Do: loadCRL},
	{Words: "request security pki generate-certificate-request", Options: append([]command.Option{
		{Name: "filename", Help: "File that the request is written to (shown when absent)", Value: fileNameValue},
	}, templateOptions...), Do: requestCertificate},
	{Words: "request security pki generate-key-pair", Options: []command.Option{
		{Name: "certificate-id", Help: "Name of the new key pair", Required: true, Value: newIDValue},
		{Name: "size", Help: "Bits (rsa: 1024, 2048, 4096, 2048 when absent; ecdsa: 256, 384, 521, 256 when absent)", Value: &command.Value{Name: "size", Help: "Bits (rsa: 1024, 2048, 4096; ecdsa: 256, 384, 521)", Words: []string{"256", "384", "521", "1024", "2048", "4096"}}},
		{Name: "type", Help: "Algorithm (rsa when absent)", Value: &command.Value{Name: "type", Help: "Algorithm", Words: []string{"dsa", "ecdsa", "rsa"}}},
	}, Do: generateKeyPair},
	{Words: "request security pki local-certificate export", Options: []command.Option{
		{Name: "certificate-id", Help: "Certificate", Required: true, Value: certificateIDValue},
		{Name: "filename", Help: "File that the certificate is written to (shown when absent)", Value: fileNameValue},
		{Name: "type", Help: "Format (pem when absent)", Value: &command.Value{Name: "type", Help: "Format", Words: []string{"der", "mobileconfig", "pem"}}},
	}, Do: exportCertificate},
	{Words: "request security pki local-certificate generate-self-signed", Options: append([]command.Option{
		{Name: "validity-days", Help: "Days that the certificate holds (1..36500, 1825 when absent)", Value: numberValue("days", "Days (1..36500)", 1, 36500)},
	}, templateOptions...), Do: selfSign},
	{Words: "request security pki local-certificate load", Options: []command.Option{
		{Name: "certificate-id", Help: "Name of the certificate", Required: true, Value: newIDValue},
		{Name: "filename", Help: "File with the certificate, and its issuers after it (PEM, DER, PKCS #12)", Required: true, Value: fileNameValue},
		{Name: "key", Help: "File with the private key (when absent, the key pair is here, or in the PKCS #12 file)", Value: fileNameValue},
		{Name: "passphrase", Help: "Passphrase of the private key (asked for when absent)", Value: &command.Value{Name: "passphrase", Help: "Passphrase of the private key"}},
	}, Do: loadCertificate},
	{Words: "request security pki local-certificate verify", Options: []command.Option{
		{Name: "certificate-id", Help: "Certificate", Required: true, Value: certificateIDValue},
	}, Do: verifyCertificate},
	{Words: "show security pki ca-certificate", Also: "show security pki ca-certificates", Options: []command.Option{
		{Name: "brief", Help: "Show brief output (default)", Group: "style"},
		{Name: "ca-profile", Help: "Certificate of this profile", Value: caProfileValue, Group: "which"},
		{Name: "ca-profile-group", Help: "Certificates of this group", Value: caGroupValue, Group: "which"},
		{Name: "detail", Help: "Show detailed output", Group: "style"},
	}, Do: showCAs},
	{Words: "show security pki certificate-request", Options: showOptions, Do: showRequests},
	{Words: "show security pki crl", Options: []command.Option{
		{Name: "ca-profile", Help: "Lists of this authority", Value: caProfileValue},
	}, Do: showCRLs},
	{Words: "show security pki key-pair", Options: showOptions[:1], Do: showKeyPairs},
	{Words: "show security pki local-certificate", Options: showOptions, Do: showLocals},
	{Words: "show services ssl certificate all", Do: showSSLCertificates("all")},
	{Words: "show services ssl certificate brief", Options: sslOptions, Do: showSSLCertificates("brief")},
	{Words: "show services ssl certificate detail", Options: sslOptions, Do: showSSLCertificates("detail")},
}

// Options that several of the commands take.
var (
	clearOptions = []command.Option{
		{Name: "certificate-id", Help: "The one of this name", Value: certificateIDValue, Group: "which"},
		{Name: "all", Help: "All", Group: "which"},
	}
	showOptions = []command.Option{
		{Name: "certificate-id", Help: "The one of this name only", Value: certificateIDValue},
		{Name: "brief", Help: "Show brief output (default)", Group: "style"},
		{Name: "detail", Help: "Show detailed output", Group: "style"},
	}
	sslOptions = []command.Option{
		{Name: "certificate-id", Help: "Certificate", Required: true, Value: &command.Value{Name: "certificate-id", Help: "Name of a certificate, CA profile or member of a group", Live: "certificate"}},
	}
	templateOptions = []command.Option{
		{Name: "add-ca-constraint", Help: "Make it fit to sign other certificates"},
		{Name: "certificate-id", Help: "Key pair", Required: true, Value: certificateIDValue},
		{Name: "digest", Help: "Digest of the signature (sha-256, or that of the key's strength, when absent)", Value: &command.Value{Name: "digest", Help: "Digest", Words: []string{"sha-256", "sha-384", "sha-512"}}},
		{Name: "domain-name", Help: "Domain name in the alternative names", Value: &command.Value{Name: "domain-name", Help: "Domain name (proxy.example.com)"}},
		{Name: "email", Help: "Mail address in the alternative names", Value: &command.Value{Name: "email", Help: "Mail address (admin@example.com)"}},
		{Name: "ip-address", Help: "Address in the alternative names", Value: addressValue},
		{Name: "ipv6-address", Help: "IPv6 address in the alternative names", Value: addressValue},
		{Name: "subject", Help: "Distinguished name (DC=example.com,O=Example,OU=Lab,CN=proxy)", Required: true, Value: &command.Value{Name: "subject", Help: "Distinguished name (CN=proxy,O=Example; quote it when it has blanks)"}},
	}
)

// Values of the commands of certificates.
var (
	newIDValue         = &command.Value{Name: "certificate-id", Help: "Name (letters, digits, dots, dashes, underscores)", Live: "key-pair", Check: pki.CheckName}
	certificateIDValue = &command.Value{Name: "certificate-id", Help: "Name of a key pair or certificate", Live: "key-pair"}
	caProfileValue     = &command.Value{Name: "ca-profile", Help: "Name of a CA profile", Live: "ca-profile"}
	caGroupValue       = &command.Value{Name: "group", Help: "Name of a CA profile group", Live: "ca-profile-group", Check: pki.CheckName}
	fileNameValue      = &command.Value{Name: "filename", Help: "Name of a file, where the command is typed"}
)

// certificates is the store of keys and certificates, or an error when the gateway runs without.
func (s *Server) certificates() (*pki.Store, error) {
	if s.options.Certificates == nil {
		return nil, &api.Error{Message: "the gateway keeps no certificates"}
	}
	return s.options.Certificates, nil
}

// template is what a certificate or request is to carry.
func (r *request) template() pki.Template {
	t := pki.Template{
		Subject: r.args["subject"], DomainName: r.args["domain-name"], Email: r.args["email"], Digest: r.args["digest"],
		CA: r.args.Has("add-ca-constraint"),
	}
	for _, option := range []string{"ip-address", "ipv6-address"} {
		if a, err := netip.ParseAddr(r.args[option]); err == nil { // checked by addressValue
			t.Addresses = append(t.Addresses, a)
		}
	}
	return t
}

// livePKI completes names of keys and certificates.
func (s *Server) livePKI(source string) []command.Completion {
	store := s.options.Certificates
	if store == nil {
		return nil
	}
	var list []command.Completion
	add := func(name, help string) {
		list = append(list, command.Completion{Text: name, Help: help, Kind: command.KindLive})
	}
	if source == "key-pair" || source == "certificate" {
		for _, l := range store.Locals() {
			kind, bits := pki.KeyKind(l.Key.Public())
			switch {
			case l.Certificate != nil:
				add(l.ID, l.Certificate.Subject.CommonName)
			case source == "key-pair":
				add(l.ID, "Key pair, "+kind+" "+strconv.Itoa(bits))
			}
		}
	}
	cfg, _ := s.options.Store.Active()
	if source == "ca-profile" || source == "certificate" {
		for _, p := range cfg.Security.PKI.CAProfiles {
			if source == "ca-profile" || len(store.CAProfile(p.Name)) > 0 {
				add(p.Name, p.Identity)
			}
		}
	}
	if source == "ca-profile-group" {
		for _, name := range store.CAGroups() {
			add(name, fmt.Sprintf("%d certificates", len(store.CAGroup(name))))
		}
	}
	return list
}

// configured says whether the active configuration has a CA profile.
func configured(cfg *schema.Config, profile string) bool {
	for _, p := range cfg.Security.PKI.CAProfiles {
		if p.Name == profile {
			return true
		}
	}
	return false
}
