// Package manage is how people drive the gateway: the control interface on a Unix socket, the
// table of operational commands, and the configuration sessions of its clients.
//
// The shell (package shell) is one client of it, curl another; see package api for what travels.
// The file names follow a request: listen and server let it in, commands finds what it means,
// flow, security, appid, pki, network, system and logs answer it, configure edits the configuration, and
// events tells every client what happened.
package manage

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
	"sluice/store"
	"sluice/store/schema"
	"sluice/store/tree"
	"sluice/tls/pki"
)

// Options are what the control interface drives. Sessions, Policies, Traffic, Logs, Applications, Packages,
// Captures, Users, Certificates, SSL and Revocation may be nil: their commands then say that the gateway
// runs without them, or leave out what they know.
type Options struct {
	Version  string // of the gateway, as show version prints it
	LogDir   string // directory of the files that show log reads
	Log      *slog.Logger
	Store    *store.Store
	Sessions Sessions
	Policies Policies
	Traffic  Traffic
	Logs     Logs

	Applications Applications
	Packages     Packages
	Captures     Captures
	Users        Users
	Certificates *pki.Store
	SSL          SSL
	Revocation   Revocation

	Alarms func() []view.Alarm // alarms of the parts that none of the others speaks for
	Now    func() time.Time    // time.Now unless a test says otherwise
}

// Server answers the control interface.
type Server struct {
	options Options
	started time.Time
	table   *command.Table[handler]
	events  *hub
	http    *http.Server
	editors *editors
	ctx     context.Context // ended by Close
	stop    context.CancelFunc
	waiting sync.WaitGroup
}

// NewServer makes a server; Serve runs it.
func NewServer(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, started: o.Now(), table: Table(), events: newHub()}
	s.editors = newEditors(s)
	ctx, stop := context.WithCancel(context.Background())
	s.ctx, s.stop = ctx, stop
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", s.answer(s.status))
	mux.HandleFunc("POST /v1/command", s.answer(s.command))
	mux.HandleFunc("POST /v1/complete", s.answer(s.complete))
	mux.HandleFunc("GET /v1/events", s.serveEvents)
	mux.HandleFunc("POST /v1/configure", s.answer(s.editors.open))
	mux.HandleFunc("POST /v1/configure/{id}/{verb}", s.answer(s.editors.edit))
	mux.HandleFunc("DELETE /v1/configure/{id}", s.answer(s.editors.close))
	mux.HandleFunc("/", s.answer(func(r *http.Request) (any, error) {
		return nil, &api.Error{Status: http.StatusNotFound, Message: "there is no " + r.Method + " " + r.URL.Path, Hint: "the addresses are listed in the documentation of the control interface"}
	}))
	s.http = &http.Server{
		Handler:           s.guard(mux),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       withPeer,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	return s
}

// Serve answers on l until Close. It returns nil after Close.
func (s *Server) Serve(l net.Listener) error {
	s.waiting.Go(func() { s.watchConfirmed(s.ctx) })
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close ends every connection, and with them the configuration sessions.
func (s *Server) Close() error {
	s.stop()
	s.events.close()
	err := s.http.Close()
	s.waiting.Wait()
	s.editors.closeAll()
	return err
}

// guard bounds what a request may cost and keeps a panic from costing more than its request.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			problem := recover()
			if err, _ := problem.(error); problem == nil || errors.Is(err, http.ErrAbortHandler) {
				return
			}
			s.options.Log.Error("control request failed", "request", r.Method+" "+r.URL.Path, "panic", problem, "stack", string(debug.Stack()))
			writeError(w, &api.Error{Status: http.StatusInternalServerError, Message: "the gateway failed at this request", Hint: "its log has the details"})
		}()
		r.Body = http.MaxBytesReader(w, r.Body, api.MaxRequest)
		next.ServeHTTP(w, r)
	})
}

// answer makes an HTTP handler of a function that returns what to send.
func (s *Server) answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result, err := f(r)
		if err != nil {
			writeError(w, asError(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(result); err != nil {
			s.options.Log.Debug("control answer not sent", "request", r.URL.Path, "error", err)
		}
	}
}

// read decodes the body of r; unknown fields are errors, so that a misspelt one is not ignored.
func read[T any](r *http.Request) (T, error) {
	var body T
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return body, &api.Error{Status: http.StatusRequestEntityTooLarge, Message: "the request is too large", Hint: "send it in parts"}
		}
		return body, &api.Error{Status: http.StatusBadRequest, Message: "the request is not valid JSON: " + err.Error()}
	}
	return body, nil
}

// asError gives err the shape that travels.
func asError(err error) *api.Error {
	var (
		e       *api.Error
		line    *command.Error
		problem schema.Problem
		stmt    *tree.StatementError
		absent  *pki.MissingError
	)
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &absent) && absent.Error() == err.Error(): // otherwise it says itself what helps
		return missing(*absent)
	case errors.As(err, &line):
		return &api.Error{Status: http.StatusBadRequest, Message: line.Message, Hint: line.Hint, Offset: &line.Offset}
	case errors.As(err, &stmt):
		return statementError(stmt)
	case errors.As(err, &problem):
		return &api.Error{Status: http.StatusUnprocessableEntity, Path: problem.Path, Message: problem.Message, Hint: problem.Hint}
	}
	return &api.Error{Status: http.StatusUnprocessableEntity, Message: err.Error()}
}

// expectedWords is how many of the words that could stand somewhere an error names.
const expectedWords = 12

// statementError is an error of a statement with its place.
func statementError(err *tree.StatementError) *api.Error {
	e := &api.Error{Status: http.StatusUnprocessableEntity, Message: err.Message, Hint: err.Hint}
	if err.Column > 0 {
		offset := err.Column - 1
		e.Offset = &offset
	}
	if n := len(err.Expected); n > 0 && e.Hint == "" {
		e.Hint = "expected " + strings.Join(err.Expected[:min(n, expectedWords)], ", ")
		if n > expectedWords {
			e.Hint += " …"
		}
	}
	return e
}

func writeError(w http.ResponseWriter, e *api.Error) {
	w.Header().Set("Content-Type", "application/json")
	if e.Status == 0 {
		e.Status = http.StatusUnprocessableEntity
	}
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(e) // the client is gone when this fails
}

// status answers GET /v1/status.
func (s *Server) status(r *http.Request) (any, error) {
	st := api.Status{Host: s.host(), Version: s.options.Version, User: peerOf(r.Context()).User, Started: s.started, Alarms: len(s.alarms())}
	if until, ok := s.options.Store.ConfirmedPending(); ok {
		st.ConfirmedUntil = until
	}
	return st, nil
}

// command answers POST /v1/command.
func (s *Server) command(r *http.Request) (any, error) {
	body, err := read[api.Command](r)
	if err != nil {
		return nil, err
	}
	if len(body.Line) > api.MaxLine {
		return nil, &api.Error{Status: http.StatusRequestEntityTooLarge, Message: "the command is too long"}
	}
	match, err := s.table.Resolve(body.Line)
	if err != nil {
		return nil, err
	}
	if match.Command.Do == nil {
		return api.Result{Local: match.Command.Words, Args: match.Args}, nil
	}
	req := &request{ctx: r.Context(), peer: peerOf(r.Context()), args: match.Args, display: body.Display, compare: body.Compare, files: body.Files, answers: body.Answers}
	v, err := match.Command.Do(s, req)
	if need, ok := errors.AsType[*needError](err); ok {
		return need.result, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return api.Result{View: view.Name(v), Data: data, Save: req.save}, nil
}

// complete answers POST /v1/complete.
func (s *Server) complete(r *http.Request) (any, error) {
	body, err := read[api.Complete](r)
	if err != nil {
		return nil, err
	}
	if len(body.Line) > api.MaxLine {
		return nil, &api.Error{Status: http.StatusRequestEntityTooLarge, Message: "the command is too long"}
	}
	list, err := s.table.Complete(body.Line, s.live)
	return api.Completions{Completions: list}, err
}

// host is the gateway's name: the configured one, or the machine's.
func (s *Server) host() string {
	cfg, _ := s.options.Store.Active()
	if cfg.System.HostName != "" {
		return cfg.System.HostName
	}
	return machineName()
}
