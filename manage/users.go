package manage

import (
	"context"
	"net/netip"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
	"sluice/users"
)

// Users is the local authentication table.
type Users interface {
	Entries() []users.Entry
	Names() []string
	Add(context.Context, ...users.Entry) error
	Delete(context.Context, string) (int, error)
	Clear(context.Context) (int, error)
}

// userHelp is the help of every word that leads to a command of the local authentication table.
var userHelp = map[string]string{
	"clear security user-identification":                                     "Clear information of who sends from which address",
	"clear security user-identification local-authentication-table":          "Remove all users from the local authentication table",
	"request security user-identification":                                   "Say who sends from which address",
	"request security user-identification local-authentication-table":        "Change the local authentication table",
	"request security user-identification local-authentication-table add":    "Say who sends from an address",
	"request security user-identification local-authentication-table delete": "Remove the user of an address, or a user from all addresses",
	"show security user-identification":                                      "Show who sends from which address",
	"show security user-identification local-authentication-table":           "Show the local authentication table",
	"show security user-identification local-authentication-table all":       "Show all of it, by address",
}

var userCommands = []command.Command[handler]{
	{Words: "clear security user-identification local-authentication-table", Do: clearUsers},
	{Words: "request security user-identification local-authentication-table add", Options: []command.Option{
		{Name: "user", Help: "User", Value: userValue, Group: "user"},
		{Name: "user-name", Help: "User", Value: userValue, Group: "user"},
		{Name: "ip-address", Help: "Address that the user sends from", Value: addressValue, Required: true},
		{Name: "role", Help: "Roles and groups of the user", Value: rolesValue, Group: "roles"},
		{Name: "roles", Help: "Roles and groups of the user", Value: rolesValue, Group: "roles"},
	}, Do: addUser},
	{Words: "request security user-identification local-authentication-table delete", Options: []command.Option{
		{Name: "user", Help: "User", Value: userValue, Group: "entry"},
		{Name: "user-name", Help: "User", Value: userValue, Group: "entry"},
		{Name: "ip-address", Help: "Address that the user sends from", Value: addressValue, Group: "entry"},
		{Name: "entry", Help: "Address or user", Bare: true, Group: "entry", Value: &command.Value{
			Name: "entry", Help: "Address, or name of a user", Live: "local-user",
		}},
	}, Do: deleteUser},
	{Words: "show security user-identification local-authentication-table all", Options: []command.Option{
		{Name: "brief", Help: "Show brief output (default)", Group: "style"},
		{Name: "extensive", Help: "Show detailed output", Group: "style"},
	}, Do: showUsers},
}

var (
	userValue  = &command.Value{Name: "user", Help: "Name of a user"}
	rolesValue = &command.Value{Name: "role", Help: "Role, or several: [ staff eng ]", List: true}
)

// users is the table, or an error when the gateway runs without one.
func (s *Server) users() (Users, error) {
	if s.options.Users == nil {
		return nil, &api.Error{Message: "the gateway has no local authentication table"}
	}
	return s.options.Users, nil
}

func showUsers(s *Server, r *request) (view.View, error) {
	table, err := s.users()
	if err != nil {
		return nil, err
	}
	answer := &view.LocalUsers{Extensive: r.args.Has("extensive")}
	for _, e := range table.Entries() {
		answer.Entries = append(answer.Entries, view.LocalUser(e))
	}
	return answer, nil
}

func addUser(s *Server, r *request) (view.View, error) {
	table, err := s.users()
	if err != nil {
		return nil, err
	}
	name := r.args["user"]
	if !r.args.Has("user") {
		name = r.args["user-name"]
	}
	if name == "" {
		return nil, missingName("user")
	}
	addr, err := netip.ParseAddr(r.args["ip-address"])
	if err != nil {
		return nil, err
	}
	roles := append(r.args.List("role"), r.args.List("roles")...)
	return &view.Text{}, table.Add(r.ctx, users.Entry{Address: addr, User: name, Roles: roles})
}

func deleteUser(s *Server, r *request) (view.View, error) {
	table, err := s.users()
	if err != nil {
		return nil, err
	}
	for _, entry := range []string{"entry", "user", "user-name", "ip-address"} {
		if r.args.Has(entry) {
			_, err = table.Delete(r.ctx, r.args[entry])
			return &view.Text{}, err
		}
	}
	return nil, &api.Error{Message: "whom to delete is missing", Hint: "give an address, or the name of a user"}
}

func clearUsers(s *Server, r *request) (view.View, error) {
	table, err := s.users()
	if err != nil {
		return nil, err
	}
	_, err = table.Clear(r.ctx)
	return &view.Text{}, err
}

// liveUsers are the addresses and users of the table.
func (s *Server) liveUsers() []command.Completion {
	if s.options.Users == nil {
		return nil
	}
	var list []command.Completion
	named := map[string]bool{}
	for _, e := range s.options.Users.Entries() {
		list = append(list, command.Completion{Text: e.Address.String(), Help: "Address of " + e.User, Kind: command.KindLive})
		if !named[e.User] {
			named[e.User] = true
			list = append(list, command.Completion{Text: command.Quote(e.User), Help: "User", Kind: command.KindLive})
		}
	}
	return list
}
