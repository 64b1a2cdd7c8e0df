package manage

import (
	"net/netip"
	"slices"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
	"sluice/tls/forge"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/sslproxy"
)

// SSL is the SSL proxy, as [sslproxy.Service] is one.
type SSL interface {
	Profiles() *profile.Set // in force; never nil
	Counters() *report.Counters
	Drops() *report.Drops
	Session(id uint64) (sslproxy.Info, bool)

	CachedSessions() (list []sslproxy.Resumable, limit int)
	ClearSessions(expired bool) int
	CachedCertificates() (list []forge.Entry, limit int)
	ClearCertificates() int
	Exemptions() []sslproxy.Exemption
	EndExemptions(client netip.Addr, server string) int
}

// sslHelp is the help of every word that leads to a command of the SSL proxy.
var sslHelp = map[string]string{
	"clear services":                                        "Clear information of services",
	"clear services ssl":                                    "Clear information of SSL services",
	"clear services ssl droplogs":                           "Forget the sessions that were dropped",
	"clear services ssl initiation":                         "Clear information of TLS towards servers",
	"clear services ssl initiation counters":                "Set the counters of TLS towards servers to zero",
	"clear services ssl proxy":                              "Clear information of the SSL proxy",
	"clear services ssl proxy certificate-cache":            "Clear the cache of certificates made for clients",
	"clear services ssl proxy certificate-cache entries":    "Forget the certificates",
	"clear services ssl proxy certificate-cache statistics": "Set the counters of the cache to zero",
	"clear services ssl proxy counters":                     "Set the counters of the SSL proxy to zero",
	"clear services ssl proxy pass-through":                 "Decrypt sessions again that pass because their clients refuse certificates",
	"clear services ssl proxy session-cache":                "Clear the cache of sessions that can be resumed",
	"clear services ssl proxy session-cache entries":        "Forget the sessions",
	"clear services ssl proxy session-cache statistics":     "Set the counters of the cache to zero",
	"clear services ssl proxy statistics":                   "Set the statistics of the SSL proxy to zero",
	"clear services ssl termination":                        "Clear information of TLS towards clients",
	"clear services ssl termination counters":               "Set the counters of TLS towards clients to zero",
	"show services ssl droplogs":                            "Show the sessions that the SSL proxy dropped last",
	"show services ssl initiation":                          "Show information of TLS towards servers",
	"show services ssl initiation counters":                 "Show the counters of TLS towards servers",
	"show services ssl initiation profile":                  "Show profiles of TLS towards servers",
	"show services ssl proxy":                               "Show information of the SSL proxy",
	"show services ssl proxy certificate-cache":             "Show the cache of certificates made for clients",
	"show services ssl proxy certificate-cache entries":     "Show the certificates",
	"show services ssl proxy certificate-cache statistics":  "Show how the cache is used",
	"show services ssl proxy counters":                      "Show the counters of the SSL proxy",
	"show services ssl proxy pass-through":                  "Show sessions that pass because their clients refuse certificates",
	"show services ssl proxy profile":                       "Show profiles of the SSL proxy",
	"show services ssl proxy session-cache":                 "Show the cache of sessions that can be resumed",
	"show services ssl proxy session-cache entries":         "Show the sessions",
	"show services ssl proxy session-cache statistics":      "Show how the cache is used",
	"show services ssl proxy statistics":                    "Show how many sessions were decrypted, and why others were not",
	"show services ssl proxy status":                        "Show the state of the SSL proxy",
	"show services ssl session":                             "Show one session that is decrypted",
	"show services ssl termination":                         "Show information of TLS towards clients",
	"show services ssl termination counters":                "Show the counters of TLS towards clients",
	"show services ssl termination profile":                 "Show profiles of TLS towards clients",
}

var sslCommands = []command.Command[handler]{
	{Words: "clear services ssl droplogs", Do: clearSSL("The sessions that were dropped are forgotten", func(x SSL) { x.Drops().Clear() })},
	{Words: "clear services ssl initiation counters", Do: clearSSL("The counters of TLS towards servers are zero", func(x SSL) { x.Counters().ClearInitiation() })},
	{Words: "clear services ssl proxy certificate-cache entries", Do: clearCachedCertificates},
	{Words: "clear services ssl proxy certificate-cache statistics", Do: clearSSL("The counters of the certificate cache are zero", func(x SSL) { x.Counters().ClearCertificateCache() })},
	{Words: "clear services ssl proxy counters", Do: clearSSL("The counters of the SSL proxy are zero", func(x SSL) { x.Counters().ClearProxy() })},
	{Words: "clear services ssl proxy pass-through", Options: []command.Option{
		{Name: "all", Help: "All of them", Group: "which"},
		{Name: "client", Help: "Those of this client", Value: addressValue},
		{Name: "server", Help: "Those to this server", Value: &command.Value{Name: "server", Help: "Name or address of a server", Live: "ssl-exempt-server"}},
	}, Do: endPassThrough},
	{Words: "clear services ssl proxy session-cache entries", Options: []command.Option{flag("stale", "Only those that have expired")}, Do: clearCachedSessions},
	{Words: "clear services ssl proxy session-cache statistics", Do: clearSSL("The counters of the session cache are zero", func(x SSL) { x.Counters().ClearSessionCache() })},
	{Words: "clear services ssl proxy statistics", Do: clearSSL("The statistics of the SSL proxy are zero", func(x SSL) { x.Counters().ClearStatistics() })},
	{Words: "clear services ssl termination counters", Do: clearSSL("The counters of TLS towards clients are zero", func(x SSL) { x.Counters().ClearTermination() })},
	{Words: "show services ssl droplogs", Do: showDrops},
	{Words: "show services ssl initiation counters", Options: legCounterOptions, Do: showLegCounters(initiation)},
	{Words: "show services ssl initiation profile", Options: legProfileOptions("ssl-initiation"), Do: showLegProfile(initiation)},
	{Words: "show services ssl proxy certificate-cache entries", Options: cacheOptions, Do: showCachedCertificates},
	{Words: "show services ssl proxy certificate-cache statistics", Do: showCertificateCacheCounters},
	{Words: "show services ssl proxy counters", Options: []command.Option{
		{Name: "all", Help: "Show all counters (default)", Group: "which"},
		{Name: "errors", Help: "Show counters of errors", Group: "which"},
		{Name: "info", Help: "Show counters of sessions", Group: "which"},
	}, Do: showProxyCounters},
	{Words: "show services ssl proxy pass-through", Do: showPassThrough},
	{Words: "show services ssl proxy profile", Options: []command.Option{
		flag("all", "Numbers and names of all profiles"),
		bare("profile", "Profile", &command.Value{Name: "profile", Help: "Name of a profile", Live: "ssl-proxy"}),
	}, Do: showProxyProfile},
	{Words: "show services ssl proxy session-cache entries", Options: cacheOptions, Do: showCachedSessions},
	{Words: "show services ssl proxy session-cache statistics", Do: showSessionCacheCounters},
	{Words: "show services ssl proxy statistics", Do: showStatistics},
	{Words: "show services ssl proxy status", Do: showProxyStatus},
	{Words: "show services ssl session", Options: []command.Option{
		{Name: "session", Help: "Session", Bare: true, Required: true, Value: numberValue("session", "Number of a session", 1, 1<<63-1)},
	}, Do: showSSLSession},
	{Words: "show services ssl termination counters", Options: legCounterOptions, Do: showLegCounters(termination)},
	{Words: "show services ssl termination profile", Options: legProfileOptions("ssl-termination"), Do: showLegProfile(termination)},
}

// Options that several of the commands take.
var (
	legCounterOptions = []command.Option{
		{Name: "all", Help: "Show all counters (default)", Group: "which"},
		{Name: "errors", Help: "Show counters of errors", Group: "which"},
		{Name: "handshake", Help: "Show counters of handshakes and sessions", Group: "which"},
	}
	cacheOptions = []command.Option{
		{Name: "detail", Help: "Show detailed output", Group: "style"},
		{Name: "summary", Help: "Show summary output (default)", Group: "style"},
	}
)

// legProfileOptions are the options of the commands that show profiles of one side.
func legProfileOptions(live string) []command.Option {
	name := &command.Value{Name: "profile", Help: "Name of a profile", Live: live}
	return []command.Option{
		{Name: "all", Help: "Numbers and names of all profiles", Group: "which"},
		{Name: "brief", Help: "Show a profile in a few lines", Value: name, Group: "which"},
		{Name: "detail", Help: "Show everything about a profile", Value: name, Group: "which"},
	}
}

// ssl is the SSL proxy, or an error when the gateway runs without one.
func (s *Server) ssl() (SSL, error) {
	if s.options.SSL == nil {
		return nil, &api.Error{Message: "the gateway runs without SSL proxy"}
	}
	return s.options.SSL, nil
}

// liveSSL are the names of profiles, and servers whose sessions pass.
func (s *Server) liveSSL(source string) []command.Completion {
	proxy := s.options.SSL
	if proxy == nil {
		return nil
	}
	if source == "ssl-exempt-server" {
		var names []string
		for _, e := range proxy.Exemptions() {
			if !slices.Contains(names, e.Server) {
				names = append(names, e.Server)
			}
		}
		return liveNames(names, "Server")
	}
	var names []string
	set := proxy.Profiles()
	for _, p := range set.Proxies() {
		names = append(names, map[string]string{"ssl-proxy": p.Name, "ssl-termination": p.TerminationName(), "ssl-initiation": p.InitiationName()}[source])
	}
	switch source {
	case "ssl-termination":
		for _, p := range set.Terminations() {
			names = append(names, p.Name)
		}
	case "ssl-initiation":
		for _, p := range set.Initiations() {
			names = append(names, p.Name)
		}
	}
	return liveNames(names, "Profile")
}

// clearSSL makes the handler of a command that clears something.
func clearSSL(done string, do func(SSL)) handler {
	return func(s *Server, _ *request) (view.View, error) {
		proxy, err := s.ssl()
		if err != nil {
			return nil, err
		}
		do(proxy)
		return &view.Message{Message: done}, nil
	}
}
