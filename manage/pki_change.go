package manage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/tls/pki"
)

func generateKeyPair(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	kind := pki.RSA
	if r.args.Has("type") {
		kind = r.args["type"]
	}
	if err := store.GenerateKeyPair(r.args["certificate-id"], kind, int(r.number("size"))); err != nil {
		return nil, err
	}
	l, ok := store.Local(r.args["certificate-id"])
	if !ok {
		return nil, missing(pki.MissingError{What: "key pair", Name: r.args["certificate-id"]})
	}
	kind, bits := pki.KeyKind(l.Key.Public())
	answer := fmt.Sprintf("Generated key pair %s, key type %s, key size %d bits", l.ID, strings.ToUpper(kind), bits)
	if kind == pki.RSA && bits < 2048 {
		answer += "\nwarning: clients refuse certificates with RSA keys of fewer than 2048 bits"
	}
	return &view.Message{Message: answer}, nil
}

func selfSign(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	t := r.template()
	t.Validity = time.Duration(r.number("validity-days")) * 24 * time.Hour
	if err := store.SelfSign(r.args["certificate-id"], t); err != nil {
		return nil, err
	}
	return &view.Message{Message: "Self-signed certificate generated and loaded successfully"}, nil
}

func requestCertificate(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	content, err := store.Request(r.args["certificate-id"], r.template())
	if err != nil {
		return nil, err
	}
	return r.handOut("Generated certificate request", string(pki.PEM), content), nil
}

func exportCertificate(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	format := pki.PEM
	if r.args.Has("type") {
		format = pki.Format(r.args["type"])
	}
	content, err := store.Export(r.args["certificate-id"], format)
	if err != nil {
		return nil, err
	}
	return r.handOut("Certificate", string(format), content), nil
}

// handOut has the client write what was made to the file that it named, or show it.
func (r *request) handOut(what, format string, content []byte) view.View {
	name := r.args["filename"]
	if name == "" {
		return &view.Exported{Format: format, Content: content}
	}
	r.save = &api.File{Name: name, Content: content}
	return &view.Message{Message: what + " written to " + name}
}

func loadCertificate(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	certificate, err := r.file("filename")
	if err != nil {
		return nil, err
	}
	var key []byte
	if r.args.Has("key") {
		if key, err = r.file("key"); err != nil {
			return nil, err
		}
	}
	passphrase := r.args["passphrase"]
	err = store.LoadLocal(r.args["certificate-id"], certificate, key, []byte(passphrase))
	if errors.Is(err, pki.ErrPassphraseMissing) && !r.args.Has("passphrase") {
		if passphrase, err = r.ask(api.Question{Name: "passphrase", Text: "Passphrase of the private key: ", Secret: true}); err != nil {
			return nil, err
		}
		err = store.LoadLocal(r.args["certificate-id"], certificate, key, []byte(passphrase))
	}
	if err != nil {
		return nil, err
	}
	return &view.Message{Message: "Local certificate loaded successfully"}, nil
}

func verifyCertificate(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	id := r.args["certificate-id"]
	l, ok := store.Local(id)
	if !ok || l.Certificate == nil {
		return nil, missing(pki.MissingError{What: "local certificate", Name: id})
	}
	if err := store.Verify(l); err != nil {
		return nil, &api.Error{Message: "local certificate " + id + " is not valid: " + err.Error()}
	}
	return &view.Message{Message: "Local certificate " + id + " verification success"}, nil
}

func loadCA(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	profile := r.args["ca-profile"]
	if cfg, _ := s.options.Store.Active(); !configured(cfg, profile) {
		return nil, &api.Error{Message: "the active configuration has no ca-profile " + profile,
			Hint: "set security pki ca-profile " + profile + " ca-identity NAME, and commit"}
	}
	content, err := r.file("filename")
	if err != nil {
		return nil, err
	}
	if err := store.LoadCA(profile, content); err != nil {
		return nil, err
	}
	return &view.Message{Message: "CA certificate for profile " + profile + " loaded successfully"}, nil
}

func verifyCA(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	name := r.args["ca-profile"]
	found := store.CAProfile(name)
	if len(found) == 0 {
		return nil, missing(pki.MissingError{What: "CA certificate of profile", Name: name})
	}
	if err := store.VerifyCA(found[0]); err != nil {
		return nil, &api.Error{Message: "CA certificate " + name + " is not valid: " + err.Error()}
	}
	return &view.Message{Message: "CA certificate " + name + " verification success"}, nil
}

func loadCAGroup(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	var content []byte
	if r.args["filename"] != pki.Default {
		if content, err = r.file("filename"); err != nil {
			return nil, err
		}
	}
	if err := r.confirm("Do you want to load this CA certificate?"); err != nil {
		return nil, err
	}
	group := r.args["ca-group-name"]
	var loaded []pki.Loaded
	if content == nil {
		loaded, err = store.LoadDefaultGroup(group)
	} else {
		loaded, err = store.LoadGroup(group, content)
	}
	if err != nil {
		return nil, err
	}
	answer := &view.GroupLoaded{Group: group}
	for _, c := range loaded {
		answer.Certificates = append(answer.Certificates, view.GroupMember(c))
	}
	return answer, nil
}

// clearLocal makes the handler that clears one or all of what belongs to key pairs; all are those of
// which there is one.
func clearLocal(clear func(*pki.Store, string) error, is func(*pki.Local) bool) handler {
	return func(s *Server, r *request) (view.View, error) {
		store, err := s.certificates()
		if err != nil {
			return nil, err
		}
		if _, err := r.verb("all", "certificate-id"); err != nil {
			return nil, err
		}
		var ids []string
		if r.args.Has("certificate-id") {
			ids = []string{r.args["certificate-id"]}
		} else {
			for _, l := range store.Locals() {
				if is(l) {
					ids = append(ids, l.ID)
				}
			}
		}
		for _, id := range ids {
			if err := clear(store, id); err != nil {
				return nil, err
			}
		}
		return s.cleared(ids), nil
	}
}

func hasCertificate(l *pki.Local) bool   { return l.Certificate != nil }
func hasNoCertificate(l *pki.Local) bool { return l.Certificate == nil }
func hasRequest(l *pki.Local) bool       { return l.Request != nil }

func clearCAs(s *Server, r *request) (view.View, error) {
	store, err := s.certificates()
	if err != nil {
		return nil, err
	}
	which, err := r.verb("all", "ca-profile", "ca-profile-group")
	if err != nil {
		return nil, err
	}
	name := r.args[which]
	switch which {
	case "ca-profile":
		return s.cleared([]string{name}), store.ClearCA(name)
	case "ca-profile-group":
		return s.cleared([]string{name}), store.ClearGroup(name)
	}
	var names []string
	for _, c := range store.CAs() {
		if c.Group == "" {
			names = append(names, c.Name)
			err = errors.Join(err, store.ClearCA(c.Name))
		}
	}
	for _, group := range store.CAGroups() {
		names = append(names, group)
		err = errors.Join(err, store.ClearGroup(group))
	}
	return s.cleared(names), err
}

// cleared warns of statements that name what was cleared.
func (s *Server) cleared(names []string) view.View {
	var lines []string
	for _, name := range names {
		for _, statement := range s.mentions(name) {
			lines = append(lines, "warning: "+name+" is named by: "+statement)
		}
	}
	return &view.Text{Body: strings.Join(lines, "\n")}
}

// missing says that there is no such thing, and which command helps.
func missing(err pki.MissingError) *api.Error {
	return &api.Error{Message: err.Error(), Hint: map[string]string{
		"certificate":               "show services ssl certificate all lists those that there are",
		"local certificate":         "show security pki local-certificate lists those that there are",
		"key pair":                  "show security pki key-pair lists those that there are",
		"certificate request":       "show security pki certificate-request lists those that there are",
		"CA profile group":          "show security pki ca-certificate lists the members of all groups",
		"CA certificate of profile": "request security pki ca-certificate load ca-profile " + err.Name + " filename FILE loads it",
	}[err.What]}
}
