package track

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metricsPlace is where and how metrics are served.
type metricsPlace struct {
	address    netip.AddrPort // invalid: nowhere
	tlsProfile string         // over HTTPS by this SSL termination profile; "": over HTTP
}

// metricsServer serves the registry over HTTP where the configuration says.
type metricsServer struct {
	registry *Registry
	log      *slog.Logger
	secure   func(l net.Listener, profile string) net.Listener // Options.SecureListener

	serving struct { // changed by commits and the end, one after the other
		sync.Mutex
		place   metricsPlace
		cancel  context.CancelFunc // ends serving at place
		done    chan struct{}      // closed when serving ended
		stopped bool
	}
	health struct {
		sync.Mutex
		err   error // why nothing is served
		since time.Time
	}
}

// Handler answers with every metric of the program, in Prometheus' text form.
func (r *Registry) Handler() http.Handler {
	all := prometheus.NewRegistry()
	all.MustRegister(r, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{})
}

// serve moves the server to place, or ends it when its address is not valid. An address that cannot
// be listened on is tried again until it can.
func (m *metricsServer) serve(place metricsPlace) {
	m.serving.Lock()
	defer m.serving.Unlock()
	if m.serving.place == place || m.serving.stopped {
		return
	}
	m.end()
	m.serving.place = place
	if !place.address.IsValid() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.serving.cancel, m.serving.done = cancel, make(chan struct{})
	go m.run(ctx, place, m.serving.done)
}

// stop ends serving for good.
func (m *metricsServer) stop() {
	m.serving.Lock()
	defer m.serving.Unlock()
	m.serving.stopped = true
	m.end()
}

// end stops serving and waits until the port is free. The caller holds serving.
func (m *metricsServer) end() {
	if m.serving.cancel == nil {
		return
	}
	m.serving.cancel()
	<-m.serving.done
	m.serving.cancel = nil
	m.failed(netip.AddrPort{}, nil)
}

func (m *metricsServer) run(ctx context.Context, place metricsPlace, done chan struct{}) {
	defer close(done)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.registry.Handler())
	for pause := backoffFirst; ctx.Err() == nil; pause = min(2*pause, backoffLast) {
		listener, err := net.Listen("tcp", place.address.String())
		if err == nil {
			m.failed(place.address, nil)
			if place.tlsProfile != "" {
				listener = m.secure(listener, place.tlsProfile)
			}
			server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
				WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
				ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelDebug)}
			stop := context.AfterFunc(ctx, func() { server.Close() })
			err = server.Serve(listener)
			stop()
		}
		if ctx.Err() != nil {
			return
		}
		m.failed(place.address, err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// failed notes why nothing is served at address, or that it is.
func (m *metricsServer) failed(address netip.AddrPort, err error) {
	m.health.Lock()
	defer m.health.Unlock()
	if err != nil && m.health.err == nil {
		m.health.since = time.Now()
		m.log.Warn("metrics cannot be served", "address", address, "error", err)
	}
	m.health.err = err
}

// failure returns why nothing is served, and since when; nil when all is well.
func (m *metricsServer) failure() (since time.Time, err error) {
	m.health.Lock()
	defer m.health.Unlock()
	return m.health.since, m.health.err
}
