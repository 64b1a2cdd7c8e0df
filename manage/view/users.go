package view

import (
	"net/netip"
	"strings"
)

// LocalUsers is the answer of "show security user-identification local-authentication-table all".
type LocalUsers struct {
	Entries   []LocalUser `json:"entries"`
	Extensive bool        `json:"extensive"`
}

// LocalUser is who sends from an address.
type LocalUser struct {
	Address netip.Addr `json:"ip-address"`
	User    string     `json:"user-name"`
	Roles   []string   `json:"roles"`
}

// Text is a line for each address, or a paragraph when extensive.
func (v *LocalUsers) Text(p *Page) {
	p.Line("Total entries: %d", len(v.Entries))
	if len(v.Entries) == 0 {
		return
	}
	if v.Extensive {
		for _, e := range v.Entries {
			p.Line("  Ip-address: %s", e.Address)
			p.Line("  Username: %s", e.User)
			p.Line("  Roles: %s", or(strings.Join(e.Roles, ", "), "None"))
			p.Line("")
		}
		return
	}
	rows := make([][]string, len(v.Entries))
	for i, e := range v.Entries {
		rows[i] = []string{e.Address.String(), e.User, strings.Join(e.Roles, ", ")}
	}
	p.Table([]string{"Source IP", "Username", "Roles"}, rows)
}
