package policy

import (
	"slices"
	"testing"

	"sluice/store/schema"
)

// opening makes a policy by which the SSL proxy opens what it permits.
func opening(p schema.Policy, profile, webFilter string) schema.Policy {
	permit := *p.Then.Permit
	permit.ApplicationServices.SSLProxy = &schema.SSLProxyName{Profile: profile}
	permit.ApplicationServices.UTMPolicy = webFilter
	p.Then.Permit = &permit
	return p
}

// telling makes a policy that refuses by a message profile, which has the SSL proxy open sessions for that.
func telling(p schema.Policy, message, profile string) schema.Policy {
	p.Then.Reject = &schema.Reject{Profile: message}
	if profile != "" {
		p.Then.Reject.SSLProxy = &schema.SSLProxyName{Profile: profile}
	}
	return p
}

// SP-2, SP-87…SP-95, SP-98: which profiles the policies ask for that a session may come to have.
func TestDecryption(t *testing.T) {
	video := func(profile string) schema.Policy {
		return opening(dynamic("video", "junos:VIDEO", Permit), profile, "")
	}
	mail := func(profile string) schema.Policy { return opening(dynamic("mail", "junos:MAIL", Permit), profile, "") }
	all := rule("all", "any", "any", "any", Permit)
	for _, c := range []struct {
		name     string
		policies []schema.Policy
		content  *Content
		want     []string
	}{
		{"no profile", []schema.Policy{dynamic("video", "junos:VIDEO", Permit), all}, nil, nil},
		{"the one policy", []schema.Policy{opening(all, "a", "")}, nil, []string{"a"}},
		{"a policy that comes after the certain one does not count", []schema.Policy{all, opening(rule("later", "any", "any", "any", Permit), "a", "")}, nil, nil},
		{"one that refuses does not count", []schema.Policy{dynamic("ssh", "junos:SSH", Deny), opening(all, "a", "")}, nil, []string{"a"}},
		{"all agree", []schema.Policy{video("a"), mail("a"), all}, nil, []string{"a"}},
		{"they disagree", []schema.Policy{video("a"), mail("b")}, nil, []string{"a", "b"}},
		{"one without a profile is no conflict", []schema.Policy{video("a"), dynamic("mail", "junos:MAIL", Permit)}, nil, []string{"a"}},
		{"the name decides", []schema.Policy{video("a"), mail("b"), opening(all, "c", "")}, &Content{Names: []string{"junos:MAIL"}, Settled: true}, []string{"b"}},
		{"the final application decides", []schema.Policy{video("a"), mail("b"), opening(all, "c", "")}, of("junos:SSH"), []string{"c"}},
		{"a final application without a profile", []schema.Policy{video("a"), all}, of("junos:SSH"), nil},
		{"a refusal without words", []schema.Policy{dynamic("mail", "junos:MAIL", Reject), opening(all, "a", "")}, of("junos:MAIL"), nil},
		{"a refusal is told by its own profile", []schema.Policy{telling(dynamic("mail", "junos:MAIL", Reject), "told", "d"), opening(all, "a", "")}, of("junos:MAIL"), []string{"d"}},
		{"or as the session would have been opened", []schema.Policy{telling(dynamic("mail", "junos:MAIL", Reject), "told", ""), opening(all, "a", "")}, of("junos:MAIL"), []string{"a"}},
		{"if it would have been", []schema.Policy{telling(dynamic("mail", "junos:MAIL", Reject), "told", ""), opening(dynamic("ssh", "junos:SSH", Permit), "a", ""), telling(rule("all", "any", "any", "any", Reject), "told", "")}, of("junos:MAIL"), []string{"a"}},
		{"only two are looked for", []schema.Policy{video("a"), mail("b"), opening(all, "c", "")}, nil, []string{"a", "b"}},
	} {
		cfg := office(between("trust", "untrust", c.policies...))
		cfg.Security.DynamicApplication.Profiles = []schema.RedirectProfile{{Name: "told"}}
		f := flow("tcp 192.0.2.1 1024 198.51.100.1 443")
		f.Content = c.content
		d := compileContent(t, cfg).Decryption(f)
		if !slices.Equal(d.Profiles, c.want) || d.Conflict() != (len(c.want) > 1) {
			t.Errorf("%s: %v, want %v", c.name, d.Profiles, c.want)
		}
	}
	f := flow("tcp 192.0.2.1 1024 198.51.100.1 443")
	if d := compileContent(t, office(between("trust", "untrust", opening(all, "a", "filter")))).Decryption(f); !d.WebFilter {
		t.Errorf("%+v, want the web filter of the policy (SP-81)", d)
	}
}
