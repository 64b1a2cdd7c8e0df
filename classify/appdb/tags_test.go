package appdb

import (
	"slices"
	"strings"
	"testing"
)

// Tags follow from the attributes, once each (AI-134).
func TestDeriveTags(t *testing.T) {
	a := &Application{Kind: Micro, Category: "Web", SubCategory: "Social-Networking", Tags: []string{"own"},
		Groups: []string{"junos:web:social-networking", "junos:remote-access"}, Characteristics: Evasive | ProneToMisuse}
	a.DeriveTags()
	want := []string{"own", "web", "social_networking", "evasive", "prone_to_misuse", "micro", "remote_access"}
	if !slices.Equal(a.Tags, want) {
		t.Errorf("tags %q, not %q", a.Tags, want)
	}
	a.DeriveTags()
	if !slices.Equal(a.Tags, want) {
		t.Errorf("a second time %q", a.Tags)
	}
}

// A group says itself that it will leave the package (AI-168).
func TestObsoleteGroup(t *testing.T) {
	db := New()
	for _, p := range db.Load("a.apps", strings.NewReader("group old\n  flags obsolete\ngroup young\n  description Stays.\n")) {
		t.Error(p)
	}
	if len(db.Groups) != 2 || !db.Groups[0].Obsolete || db.Groups[1].Obsolete {
		t.Errorf("%+v", db.Groups)
	}
}
