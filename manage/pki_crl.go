package manage

import (
	"crypto/x509"
	"fmt"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/tls/pki"
	"sluice/tls/revoke"
)

// Revocation is the revocation lists that the gateway has.
type Revocation interface {
	// CRL says whether a list of an issuer is at hand, and whether fetching one failed last.
	CRL(issuer *x509.Certificate) (present, failed bool)
	List() []revoke.Entry
	ListOf(issuer *x509.Certificate) []revoke.Entry
	Load(issuer *x509.Certificate, data []byte) (revoke.Entry, error)
	// Clear and ClearOf say how many lists there were.
	Clear() int
	ClearOf(issuer *x509.Certificate) int
}

// revocation is the revocation lists, and the certificate of the authority that the command names; nil:
// it names none.
func (s *Server) revocation(r *request) (Revocation, *x509.Certificate, error) {
	if s.options.Revocation == nil {
		return nil, nil, &api.Error{Message: "the gateway keeps no revocation lists"}
	}
	if !r.args.Has("ca-profile") {
		return s.options.Revocation, nil, nil
	}
	store, err := s.certificates()
	if err != nil {
		return nil, nil, err
	}
	if list := store.CAProfile(r.args["ca-profile"]); len(list) > 0 {
		return s.options.Revocation, list[0].Certificate, nil
	}
	return nil, nil, missing(pki.MissingError{What: "CA certificate of profile", Name: r.args["ca-profile"]})
}

func loadCRL(s *Server, r *request) (view.View, error) {
	lists, issuer, err := s.revocation(r)
	if err != nil {
		return nil, err
	}
	content, err := r.file("filename")
	if err != nil {
		return nil, err
	}
	if _, err := lists.Load(issuer, content); err != nil {
		return nil, &api.Error{Message: r.args["filename"] + ": " + err.Error()}
	}
	return &view.Message{Message: "CRL for CA profile " + r.args["ca-profile"] + " loaded successfully"}, nil
}

func showCRLs(s *Server, r *request) (view.View, error) {
	lists, issuer, err := s.revocation(r)
	if err != nil {
		return nil, err
	}
	answer := &view.CRLs{Profile: r.args["ca-profile"]}
	entries := lists.List()
	if issuer != nil {
		entries = lists.ListOf(issuer)
	}
	for _, e := range entries {
		list := view.RevocationList{
			URL: e.URL, Issuer: e.Issuer, Number: e.Number, ThisUpdate: e.ThisUpdate, NextUpdate: e.NextUpdate,
			Count: e.Count, Size: e.Size, Fetched: e.Fetched,
		}
		if e.Err != nil {
			list.Failure = e.Err.Error()
		}
		answer.Lists = append(answer.Lists, list)
	}
	return answer, nil
}

func clearCRLs(s *Server, r *request) (view.View, error) {
	if _, err := r.verb("all", "ca-profile"); err != nil {
		return nil, err
	}
	lists, issuer, err := s.revocation(r)
	if err != nil {
		return nil, err
	}
	clear := lists.Clear
	if issuer != nil {
		clear = func() int { return lists.ClearOf(issuer) }
	}
	return &view.Message{Message: fmt.Sprintf("%d revocation lists cleared", clear())}, nil
}
