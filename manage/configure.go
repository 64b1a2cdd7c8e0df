package manage

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/internal/lull"
	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/store"
	"sluice/store/schema"
	"sluice/store/tree"
)

// maxEditors is how many configuration sessions one client may have open.
const maxEditors = 8

// editors are the open configuration sessions.
type editors struct {
	server *Server
	mu     sync.Mutex
	byID   map[string]*editor
}

// editor is one configuration session: a candidate, and the client it lives and dies with.
type editor struct {
	id        string
	client    string
	candidate *store.Candidate
}

func newEditors(s *Server) *editors { return &editors{server: s, byID: map[string]*editor{}} }

// open answers POST /v1/configure.
func (e *editors) open(r *http.Request) (any, error) {
	body, err := read[api.Configure](r)
	if err != nil {
		return nil, err
	}
	client := r.Header.Get(api.ClientHeader)
	if !e.server.events.knows(client) {
		return nil, &api.Error{Status: http.StatusPreconditionRequired, Message: "a configuration session needs a client",
			Hint: "open /v1/events, and send the name in its first event as " + api.ClientHeader}
	}
	mode, err := editMode(body.Mode)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	count := 0
	for _, ed := range e.byID {
		if ed.client == client {
			count++
		}
	}
	e.mu.Unlock()
	if count >= maxEditors {
		return nil, &api.Error{Status: http.StatusTooManyRequests, Message: fmt.Sprintf("this client has %d configuration sessions open", count), Hint: "close one first"}
	}
	st := e.server.options.Store
	notices := e.notices()
	candidate, err := st.Edit(store.Who{User: peerOf(r.Context()).User, Client: origin(r)}, mode)
	if err != nil {
		return nil, conflict(err)
	}
	ed := &editor{id: rand.Text(), client: client, candidate: candidate}
	e.mu.Lock()
	e.byID[ed.id] = ed
	e.mu.Unlock()
	// The client may have gone away meanwhile; then nobody else would close the session.
	if !e.server.events.knows(client) {
		e.closeOf(client)
	}
	session := api.Session{ID: ed.id, Mode: mode.String(), Changed: candidate.Changed(), Notices: notices}
	if session.Changed && mode == store.Shared {
		session.Notices = append(session.Notices, "The configuration has been changed but not committed")
	}
	return session, nil
}

// notices says who else edits.
func (e *editors) notices() []string {
	var lines []string
	for _, ed := range e.server.options.Store.Editors() {
		lines = append(lines, fmt.Sprintf("%s edits the configuration since %s (%s)", ed.Who, ed.Since.Format(time.DateTime), ed.Mode))
	}
	return lines
}

// origin says how a client came: the shell names itself.
func origin(r *http.Request) string {
	if r.UserAgent() == api.ShellAgent {
		return "cli"
	}
	return "api"
}

func editMode(word string) (store.Mode, error) {
	switch word {
	case "", "shared":
		return store.Shared, nil
	case "exclusive":
		return store.Exclusive, nil
	case "private":
		return store.Private, nil
	}
	return 0, &api.Error{Status: http.StatusBadRequest, Message: fmt.Sprintf("%q is no mode of editing", word), Hint: "use shared, exclusive or private"}
}

// conflict marks errors about others who edit.
func conflict(err error) error {
	var locked *store.LockedError
	if errors.As(err, &locked) {
		return &api.Error{Status: http.StatusConflict, Message: err.Error()}
	}
	return err
}

// find is the session that r names, if it is the client's own.
func (e *editors) find(r *http.Request) (*editor, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ed := e.byID[r.PathValue("id")]
	if ed == nil || ed.client != r.Header.Get(api.ClientHeader) {
		return nil, &api.Error{Status: http.StatusNotFound, Message: "the configuration session has ended", Hint: "open a new one with configure"}
	}
	return ed, nil
}

// close answers DELETE /v1/configure/ID.
func (e *editors) close(r *http.Request) (any, error) {
	ed, err := e.find(r)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	delete(e.byID, ed.id)
	e.mu.Unlock()
	return struct{}{}, ed.candidate.Close()
}

// closeOf ends the sessions of a client that went away.
func (e *editors) closeOf(client string) {
	e.closeWhere(func(ed *editor) bool { return ed.client == client })
}

// closeAll ends every session.
func (e *editors) closeAll() { e.closeWhere(func(*editor) bool { return true }) }

func (e *editors) closeWhere(ends func(*editor) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, ed := range e.byID {
		if !ends(ed) {
			continue
		}
		delete(e.byID, id)
		if err := ed.candidate.Close(); err != nil {
			e.server.options.Log.Warn("configuration session not closed", "error", err)
		}
	}
}

// verbs are what can be done in a configuration session.
var verbs = map[string]func(*Server, *editor, api.Edit) (api.Edited, error){
	"run":      (*Server).editRun,
	"load":     (*Server).editLoad,
	"show":     (*Server).editShow,
	"compare":  (*Server).editCompare,
	"edit":     (*Server).editLevel,
	"check":    (*Server).editCheck,
	"commit":   (*Server).editCommit,
	"rollback": (*Server).editRollback,
	"status":   (*Server).editStatus,
	"update":   (*Server).editUpdate,
}

// edit answers POST /v1/configure/ID/VERB.
func (e *editors) edit(r *http.Request) (any, error) {
	ed, err := e.find(r)
	if err != nil {
		return nil, err
	}
	defer lull.Begin()() // the work on a large configuration is long
	verb := r.PathValue("verb")
	if verb == "complete" {
		body, err := read[api.Complete](r)
		if err != nil {
			return nil, err
		}
		return completeEdit(ed, body), nil
	}
	do, ok := verbs[verb]
	if !ok {
		return nil, &api.Error{Status: http.StatusNotFound, Message: fmt.Sprintf("a configuration session does not know %q", verb)}
	}
	body, err := read[api.Edit](r)
	if err != nil {
		return nil, err
	}
	result, err := do(e.server, ed, body)
	if err != nil {
		return nil, conflict(err)
	}
	return result, nil
}

func (s *Server) editRun(ed *editor, req api.Edit) (api.Edited, error) {
	return api.Edited{}, ed.candidate.Run(req.At, req.Statement)
}

// loadModes are the modes of load by their words.
var loadModes = map[string]tree.LoadMode{"set": tree.LoadSet, "merge": tree.LoadMerge, "override": tree.LoadOverride, "replace": tree.LoadReplace}

func (s *Server) editLoad(ed *editor, req api.Edit) (api.Edited, error) {
	mode, ok := loadModes[req.Mode]
	if !ok {
		return api.Edited{}, &api.Error{Status: http.StatusBadRequest, Message: fmt.Sprintf("%q is no way to load", req.Mode), Hint: "use set, merge, override or replace"}
	}
	problems := ed.candidate.Load(mode, req.At, req.Text)
	if n := refusals(problems); n > 0 {
		return api.Edited{}, &api.Error{Message: fmt.Sprintf("load finished with %s", countOf(n, "error", "errors")), Problems: problems}
	}
	return api.Edited{Problems: problems}, nil
}

func (s *Server) editCompare(ed *editor, req api.Edit) (api.Edited, error) {
	path, err := words(req.Path)
	if err != nil {
		return api.Edited{}, err
	}
	text, err := ed.candidate.Compare(req.Number, slices.Concat(req.At, path))
	return api.Edited{Text: text}, err
}

func (s *Server) editRollback(ed *editor, req api.Edit) (api.Edited, error) {
	return api.Edited{}, ed.candidate.Rollback(req.Number)
}

func (s *Server) editStatus(ed *editor, _ api.Edit) (api.Edited, error) {
	return api.Edited{Text: strings.Join(append(s.editors.notices(), ""), "\n"), Changed: ed.candidate.Changed()}, nil
}

func (s *Server) editUpdate(ed *editor, _ api.Edit) (api.Edited, error) {
	return api.Edited{}, ed.candidate.Update()
}

func (s *Server) editCheck(ed *editor, _ api.Edit) (api.Edited, error) {
	problems := ed.candidate.Check()
	if refusals(problems) > 0 {
		return api.Edited{}, &api.Error{Message: "commit check failed", Problems: problems}
	}
	return api.Edited{Problems: problems}, nil
}

func (s *Server) editCommit(ed *editor, req api.Edit) (api.Edited, error) {
	confirmed := time.Duration(req.Confirmed) * time.Minute
	revision, problems, err := ed.candidate.Commit(store.CommitOptions{Comment: req.Comment, Confirmed: confirmed})
	switch {
	case errors.Is(err, store.ErrRefused):
		return api.Edited{}, &api.Error{Message: "commit refused, nothing was changed", Problems: problems}
	case err != nil:
		return api.Edited{}, err
	}
	event := api.Event{Kind: "commit", Time: s.options.Now(), User: revision.User, Message: ed.candidate.Who().Who.String() + " committed a configuration"}
	if until, pending := s.options.Store.ConfirmedPending(); pending {
		event.Until = until
		event.Message += " that is rolled back at " + until.Format(time.TimeOnly) + " unless somebody commits"
	}
	s.events.tell(event, ed.client)
	return api.Edited{Problems: problems, Revision: &api.Revision{
		Number: revision.Number, Time: revision.Time, User: revision.User, Client: revision.Client, Comment: revision.Comment,
	}}, nil
}

func (s *Server) editLevel(ed *editor, req api.Edit) (api.Edited, error) {
	path, err := words(req.Path)
	if err != nil || len(path) == 0 {
		return api.Edited{At: req.At}, err
	}
	at, err := ed.candidate.Tree().CheckEdit(req.At, path)
	return api.Edited{At: at}, err
}

func (s *Server) editShow(ed *editor, req api.Edit) (api.Edited, error) {
	path, err := words(req.Path)
	if err != nil {
		return api.Edited{}, err
	}
	text, err := showTree(ed.candidate.Tree(), slices.Concat(req.At, path), req.Display)
	return api.Edited{Text: text}, err
}

// words are those of a path as it was typed.
func words(path string) ([]string, error) {
	tokens, err := command.Split(path)
	list := make([]string, len(tokens))
	for i, token := range tokens {
		list[i] = token.Text
	}
	return list, err
}

// showTree is the configuration below at in the form that display names.
func showTree(t *tree.Tree, at []string, display string) (string, error) {
	switch display {
	case "":
		return t.Show(tree.Curly, at)
	case "set":
		return t.Show(tree.Set, at)
	case "json":
		return t.Show(tree.JSON, at)
	case "xml":
		return t.Show(tree.XML, at)
	case "inheritance":
		return t.ShowInheritance(at)
	}
	return "", &api.Error{Status: http.StatusBadRequest, Message: fmt.Sprintf("a configuration cannot be displayed as %q", display), Hint: "use set, json, xml or inheritance"}
}

// completeEdit says what may come next in a statement.
func completeEdit(ed *editor, req api.Complete) api.Completions {
	return api.Completions{Completions: completions(ed.candidate.Tree().Complete(req.At, req.Verb, req.Line))}
}

// completions gives those of the tree the shape that travels.
func completions(list []tree.Completion) []command.Completion {
	out := make([]command.Completion, len(list))
	for i, c := range list {
		out[i] = command.Completion{Text: c.Text, Help: c.Help, Kind: kinds[c.Kind]}
	}
	return out
}

var kinds = map[tree.CompletionKind]command.Kind{
	tree.EnterCompletion: command.KindEnter, tree.ValueCompletion: command.KindValue, tree.LiveCompletion: command.KindLive,
	tree.WordCompletion: command.KindWord, tree.KeywordCompletion: command.KindWord, tree.PipeCompletion: command.KindPipe,
}

// refusals counts the problems that are not warnings.
func refusals(problems []schema.Problem) (n int) {
	for _, p := range problems {
		if !p.Warning {
			n++
		}
	}
	return n
}
