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

// metricsServer serves the registry over HTTP where the configuration says.
type metricsServer struct {
	registry *Registry
	log      *slog.Logger

	serving struct { // changed by commits and the end, one after the other
		sync.Mutex
		address netip.AddrPort     // invalid: nowhere
		cancel  context.CancelFunc // ends serving at address
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

// serve moves the server to address, or ends it when address is not valid. An address that cannot
// be listened on is tried again until it can.
func (m *metricsServer) serve(address netip.AddrPort) {
	m.serving.Lock()
	defer m.serving.Unlock()
	if m.serving.address == address || m.serving.stopped {
		return
	}
	m.end()
	m.serving.address = address
	if !address.IsValid() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.serving.cancel, m.serving.done = cancel, make(chan struct{})
	go m.run(ctx, address, m.serving.done)
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

func (m *metricsServer) run(ctx context.Context, address netip.AddrPort, done chan struct{}) {
	defer close(done)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.registry.Handler())
	for pause := backoffFirst; ctx.Err() == nil; pause = min(2*pause, backoffLast) {
		listener, err := net.Listen("tcp", address.String())
		if err == nil {
			m.failed(address, nil)
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
		m.failed(address, err)
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
