package sigpack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Server offers a repository over HTTP: metadata/ and targets/ as files, and reports to which
// gateways send what became of an installation. It holds nothing that must be kept secret: what
// it serves is signed.
type Server struct {
	// Repository that is served. With its keys of the roles snapshot and timestamp its word is
	// renewed, with that of targets packages that do not work are withdrawn.
	Repository *Repository
	// WithdrawAfter is from how many gateways a failure must be reported until a major package is
	// withdrawn; 0: never. Gateways of one address count once.
	WithdrawAfter int
	// Logger is told of reports and what follows. nil: slog.Default().
	Logger *slog.Logger

	mu     sync.Mutex
	failed map[int]map[netip.Prefix]bool // who reported a failure, by version
}

// Bounds of reports.
const (
	maxReport   = 4 << 10
	maxReports  = 16 << 20 // of the file of reports, in bytes
	maxFailures = 1 << 16  // gateways remembered for each version
)

// ServeHTTP serves one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch name := strings.TrimPrefix(r.URL.Path, "/"); {
	case name == "reports" && r.Method == http.MethodPost:
		s.report(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET, HEAD, and POST of reports", http.StatusMethodNotAllowed)
	case goodArchived(name):
		s.file(w, r, name)
	default:
		http.NotFound(w, r)
	}
}

// file serves a file of the repository, or a part of it. What was withdrawn is gone.
func (s *Server) file(w http.ResponseWriter, r *http.Request, name string) {
	if s.withdrawn(name) {
		http.Error(w, "this version was withdrawn", http.StatusGone)
		return
	}
	if strings.HasSuffix(name, "timestamp.json") {
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeFileFS(w, r, os.DirFS(s.Repository.Dir), name)
}

// withdrawn says whether a file is the package of a version that was withdrawn.
func (s *Server) withdrawn(name string) bool {
	file, ok := strings.CutPrefix(name, "targets/")
	if !ok {
		return false
	}
	_, target, _ := strings.Cut(file, ".")
	all, err := s.Repository.Versions()
	if err != nil {
		return false
	}
	for _, v := range all {
		if v.Withdrawn && targetName(v.Version) == target {
			return true
		}
	}
	return false
}

// report takes the result of an installation.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	var report Report
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReport)).Decode(&report); err != nil {
		http.Error(w, "not a report: "+err.Error(), http.StatusBadRequest)
		return
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		http.Error(w, "no address", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.record(report, from.Addr()); err != nil {
		s.log().Error("report not recorded", "error", err)
		http.Error(w, "not recorded", http.StatusInsufficientStorage)
		return
	}
	s.log().Info("report", "device", report.Device, "address", from.Addr().String(), "version", report.Version, "ok", report.OK, "reason", report.Reason)
	if !report.OK {
		s.failure(report.Version, from.Addr())
	}
	w.WriteHeader(http.StatusNoContent)
}

// record adds a report to the file reports.jsonl of the repository.
func (s *Server) record(report Report, from netip.Addr) error {
	file := filepath.Join(s.Repository.Dir, "reports.jsonl")
	if info, err := os.Stat(file); err == nil && info.Size() > maxReports {
		return fmt.Errorf("%s: larger than %d bytes; move it away", file, maxReports)
	}
	text, err := json.Marshal(struct {
		Time    time.Time  `json:"time"`
		Address netip.Addr `json:"address"`
		Report
	}{s.Repository.now(), from, report})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}

// failure counts a gateway for which a version does not work, and withdraws the version when these
// are many. Minor packages stay: they are replaced within days.
func (s *Server) failure(version int, from netip.Addr) {
	if s.failed == nil {
		s.failed = map[int]map[netip.Prefix]bool{}
	}
	all, err := s.Repository.Versions()
	if err != nil {
		s.log().Error("the repository cannot be read", "error", err)
		return
	}
	for _, v := range all {
		if v.Version != version || v.Withdrawn || v.Kind != Major {
			continue
		}
		if s.failed[version] == nil {
			s.failed[version] = map[netip.Prefix]bool{}
		}
		if len(s.failed[version]) < maxFailures {
			s.failed[version][site(from)] = true
		}
		n := len(s.failed[version])
		if s.WithdrawAfter == 0 || n < s.WithdrawAfter {
			return
		}
		if err := s.Repository.Withdraw(version, fmt.Sprintf("it failed on %d gateways", n)); err != nil {
			s.log().Error("a faulty version was not withdrawn; sluice sigpack withdraw does it", "version", version, "gateways", n, "error", err)
			return
		}
		s.log().Warn("version withdrawn", "version", version, "gateways", n)
	}
}

// site is the network that stands for one gateway: nobody has many IPv4 addresses, or many /64.
func site(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// Renew renews the repository's word at once and then every quarter of the time it holds, until
// ctx ends. Without the keys it says so once and returns.
func (s *Server) Renew(ctx context.Context) {
	ticker := time.NewTicker(timestampHolds / 4)
	defer ticker.Stop()
	for {
		if err := s.Repository.Refresh(); errors.Is(err, fs.ErrNotExist) {
			s.log().Info("the feed's word is not renewed here, for lack of keys", "error", err)
			return
		} else if err != nil {
			s.log().Error("the feed's word was not renewed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Server) log() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}
