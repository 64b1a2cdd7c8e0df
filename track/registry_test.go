package track

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"sluice/store/schema"
)

// TestMetricNames asks Prometheus' own linter about every metric of the tracker, and checks the
// house rule that names start with sluice_.
func TestMetricNames(t *testing.T) {
	tracker := newTestTracker(t, Options{State: openState(t, filepath.Join(t.TempDir(), "state.db"))})
	commit(t, tracker, &schema.Config{})
	gathering := prometheus.NewRegistry()
	gathering.MustRegister(tracker.Collector())
	families, err := gathering.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) < 7 {
		t.Errorf("only %d metrics", len(families))
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "sluice_") {
			t.Errorf("%s does not start with sluice_", f.GetName())
		}
	}
}

// TestRegistryRefuses checks that names which break the rules cannot be registered.
func TestRegistryRefuses(t *testing.T) {
	zero := func() uint64 { return 0 }
	tests := map[string]func(*Registry){
		"foreign":     func(r *Registry) { r.Counter("sessions_total", "Sessions", zero) },
		"upper case":  func(r *Registry) { r.Counter("sluice_Sessions_total", "Sessions", zero) },
		"no total":    func(r *Registry) { r.Counter("sluice_sessions", "Sessions", zero) },
		"total gauge": func(r *Registry) { r.Gauge("sluice_sessions_total", "Sessions", func() float64 { return 0 }) },
		"unit":        func(r *Registry) { r.Gauge("sluice_wait_ms", "Wait", func() float64 { return 0 }) },
		"no help":     func(r *Registry) { r.Counter("sluice_sessions_total", "", zero) },
		"sentence":    func(r *Registry) { r.Counter("sluice_sessions_total", "Sessions.", zero) },
		"label": func(r *Registry) {
			r.Counters("sluice_sessions_total", "Sessions", []string{"From Zone"}, func(Emit) {})
		},
		"twice": func(r *Registry) {
			r.Counter("sluice_sessions_total", "Sessions", zero)
			r.Counter("sluice_sessions_total", "Sessions", zero)
		},
	}
	for name, register := range tests {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is accepted", name)
				}
			}()
			register(NewRegistry())
		}()
	}
}

// TestRegistryHandler shows what other packages register.
func TestRegistryHandler(t *testing.T) {
	r := NewRegistry()
	var sessions Counter
	sessions.Add(41)
	sessions.Inc()
	r.Counter("sluice_flow_sessions_total", "Sessions created", sessions.Load)
	r.Gauges("sluice_flow_sessions_open", "Sessions that are open, by protocol", []string{"protocol"}, func(emit Emit) {
		emit(3, "tcp")
		emit(1, "udp")
	})
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"sluice_flow_sessions_total 42\n", `sluice_flow_sessions_open{protocol="tcp"} 3`, "go_goroutines "} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%q is missing in\n%s", want, answer.Body)
		}
	}
}

// TestMetricsServer serves where the configuration says, moves, waits for a busy port, and stops.
func TestMetricsServer(t *testing.T) {
	free := func() netip.AddrPort {
		l := listenTCP(t, "127.0.0.1:0")
		defer l.Close()
		return netip.MustParseAddrPort(l.Addr().String())
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(at netip.AddrPort) string {
		answer, err := client.Get("http://" + at.String() + "/metrics")
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	serve := func(tracker *Tracker, at netip.AddrPort) {
		cfg := &schema.Config{}
		cfg.System.Services.Metrics = &schema.MetricsService{Address: at.Addr(), Port: at.Port()}
		commit(t, tracker, cfg)
	}
	tracker := newTestTracker(t, Options{})
	first := free()
	serve(tracker, first)
	eventually(t, "metrics are served", func() bool { return strings.Contains(get(first), "sluice_log_records_total") })

	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	second := netip.MustParseAddrPort(busy.Addr().String())
	serve(tracker, second)
	if got := get(first); !strings.Contains(got, "refused") {
		t.Errorf("the first address still answers: %s", got)
	}
	eventually(t, "a busy port is an alarm", func() bool {
		alarms := tracker.Alarms()
		return len(alarms) == 1 && strings.Contains(alarms[0].Text, "metrics are not served")
	})
	busy.Close()
	eventually(t, "metrics are served once the port is free", func() bool { return strings.Contains(get(second), "sluice_log_records_total") })
	if alarms := tracker.Alarms(); len(alarms) != 0 {
		t.Errorf("alarms stay: %v", alarms)
	}
	commit(t, tracker, &schema.Config{})
	if got := get(second); !strings.Contains(got, "refused") {
		t.Errorf("after the statement went, the port still answers: %s", got)
	}
}
