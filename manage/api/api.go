// Package api is the control interface of the gateway: what travels over its Unix socket, and the
// client that speaks it.
//
// It is HTTP with JSON bodies, so that curl is a client too:
//
//	curl --unix-socket /var/lib/sluice/sluice.sock http://sluice/v1/command -d '{"line":"show version"}'
//
// The kernel tells the gateway who is at the other end of the socket; there is nothing to log in to.
//
//	GET    /v1/status                  who answers, and what needs attention
//	POST   /v1/command                 run one operational command
//	POST   /v1/complete                what may come next in an operational command
//	GET    /v1/events                  server-sent events; the first one, hello, names the client
//	POST   /v1/configure               open a configuration session (needs a client)
//	POST   /v1/configure/ID/VERB       run, load, show, compare, edit, complete, check, commit, rollback
//	DELETE /v1/configure/ID            close it
//
// A command that names files of the client, or asks the user something, is sent again with what is
// needed ([Result]); the gateway opens no file that a client names.
//
// A configuration session belongs to the client that a /v1/events connection made, and ends with
// that connection: a client that dies leaves no lock and no private candidate behind.
package api

import (
	"encoding/json"
	"time"

	"sluice/manage/command"
	"sluice/store/schema"
)

// ClientHeader carries the client's name, from the hello event, in configuration requests.
const ClientHeader = "Sluice-Client"

// ShellAgent is the user agent of the shell; commits of others are recorded as made by "api".
const ShellAgent = "sluice-shell"

// Limits on what travels.
const (
	MaxRequest = 32 << 20 // bytes of a request body: a pasted configuration of 200,000 lines
	MaxLine    = 64 << 10 // bytes of a command line
)

// Status is the answer of GET /v1/status.
type Status struct {
	Host           string    `json:"host"`
	Version        string    `json:"version"`
	User           string    `json:"user"` // the user at the other end of the socket
	Started        time.Time `json:"started"`
	Alarms         int       `json:"alarms"`
	ConfirmedUntil time.Time `json:"rollback-at,omitzero"` // set while a confirmed commit waits
}

// Command asks for one operational command.
type Command struct {
	Line    string            `json:"line"`
	Display string            `json:"display,omitempty"` // form of a configuration: set, json, xml, inheritance; "" is curly
	Compare *int              `json:"compare,omitempty"` // show a configuration as its difference from this rollback
	Files   map[string][]byte `json:"files,omitempty"`   // content of the client's files that the line names, by their names in it
	Answers map[string]string `json:"answers,omitempty"` // to the gateway's questions, by their names
}

// Result is the answer of a command: the view has data. Or the command is one for the client itself:
// then Local has its words in full (configure, exit, quit, help). Or the command is not done yet:
// File or Question says what the gateway needs, and the client sends the command again with it.
type Result struct {
	View     string          `json:"view,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	Save     *File           `json:"save,omitempty"` // a file that the client is to write
	Local    string          `json:"local,omitempty"`
	Args     command.Args    `json:"args,omitempty"` // of a local command
	File     string          `json:"file,omitempty"` // name of a file whose content is needed
	Question *Question       `json:"question,omitempty"`
}

// File is a file of the client.
type File struct {
	Name    string `json:"name"`
	Content []byte `json:"content"`
}

// Confirm is the name of the question whether something is to be done; the answer is yes or no.
const Confirm = "confirm"

// Question is something that only the user knows.
type Question struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Secret bool   `json:"secret,omitempty"` // the answer is not shown while it is typed
}

// Complete asks what may come at the end of a line.
type Complete struct {
	At   []string `json:"at,omitempty"`   // edit level, in configuration sessions
	Verb string   `json:"verb,omitempty"` // set, delete, show, edit …, in configuration sessions
	Line string   `json:"line"`           // in configuration sessions, what follows the verb
}

// Completions is the answer of Complete.
type Completions struct {
	Completions []command.Completion `json:"completions"`
}

// Configure asks for a configuration session.
type Configure struct {
	Mode string `json:"mode,omitempty"` // shared (the default), exclusive or private
}

// Session is an open configuration session.
type Session struct {
	ID      string   `json:"id"`
	Mode    string   `json:"mode"`
	Changed bool     `json:"changed"`           // the candidate differs from the active configuration
	Notices []string `json:"notices,omitempty"` // who else edits
}

// Edit is what every request inside a configuration session may say; which fields count depends
// on the verb.
type Edit struct {
	At        []string `json:"at,omitempty"`        // edit level
	Statement string   `json:"statement,omitempty"` // run: the whole statement, with its verb
	Mode      string   `json:"mode,omitempty"`      // load: set, merge, override or replace
	Text      string   `json:"text,omitempty"`      // load
	Path      string   `json:"path,omitempty"`      // edit, show, compare: words relative to At
	Display   string   `json:"display,omitempty"`   // show: set, json, xml, inheritance; "" is curly
	Number    int      `json:"number,omitempty"`    // rollback, compare
	Comment   string   `json:"comment,omitempty"`   // commit
	Confirmed int      `json:"confirmed,omitempty"` // commit: minutes until it is rolled back unless confirmed
}

// Edited is the answer inside a configuration session.
type Edited struct {
	At       []string         `json:"at,omitempty"`     // edit: the level in full words
	Text     string           `json:"text,omitempty"`   // show, compare, status
	Changed  bool             `json:"changed,omitzero"` // status: the candidate has uncommitted changes
	Revision *Revision        `json:"revision,omitempty"`
	Problems []schema.Problem `json:"problems,omitempty"` // warnings, or what was refused
}

// Revision is one committed configuration.
type Revision struct {
	Number  int       `json:"number"`
	Time    time.Time `json:"time"`
	User    string    `json:"user"`
	Client  string    `json:"client"`
	Comment string    `json:"comment,omitempty"`
}

// Event is one thing that every session should know.
type Event struct {
	Kind    string    `json:"kind"` // hello, commit, confirm, rollback, notice
	Client  string    `json:"client,omitempty"`
	Time    time.Time `json:"time"`
	User    string    `json:"user,omitempty"`
	Message string    `json:"message,omitempty"`
	Until   time.Time `json:"until,omitzero"` // confirm: when the commit is rolled back
}

// Error is the body of every answer that is not a success.
type Error struct {
	Message  string           `json:"error"`
	Path     string           `json:"path,omitempty"`
	Hint     string           `json:"hint,omitempty"`
	Offset   *int             `json:"offset,omitempty"` // byte of the line where it went wrong
	Problems []schema.Problem `json:"problems,omitempty"`
	Status   int              `json:"-"` // HTTP status
}

// Error is the message with its place, and the hint in brackets.
func (e *Error) Error() string {
	return schema.Problem{Path: e.Path, Message: e.Message, Hint: e.Hint}.Error()
}
