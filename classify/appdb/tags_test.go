package appdb

import (
	"slices"
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
