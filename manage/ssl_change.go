package manage

import (
	"fmt"

	"sluice/manage/api"
	"sluice/manage/view"
)

// endPassThrough makes sessions be decrypted again.
func endPassThrough(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	narrow := r.args.Has("client") || r.args.Has("server")
	if narrow == r.args.Has("all") {
		return nil, &api.Error{Message: "it is not clear which sessions are meant", Hint: "give all, or client and server"}
	}
	n := proxy.EndExemptions(r.address("client"), r.args["server"])
	if n == 0 && narrow {
		return nil, &api.Error{Message: "no such session passes", Hint: "show services ssl proxy pass-through lists those that do"}
	}
	return &view.Message{Message: fmt.Sprintf("%d exemptions ended", n)}, nil
}

func clearCachedSessions(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	return &view.Message{Message: fmt.Sprintf("%d sessions are forgotten", proxy.ClearSessions(r.args.Has("stale")))}, nil
}

func clearCachedCertificates(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	return &view.Message{Message: fmt.Sprintf("%d certificates are forgotten", proxy.ClearCertificates())}, nil
}
