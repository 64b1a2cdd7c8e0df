package appdb

import (
	"slices"
	"strings"
)

// DeriveTags adds the tags that follow from the other attributes: the category, the sub-category,
// the levels of the groups, the characteristics, and the kind of a protocol or micro-application;
// in small letters with "_" between words. Tags that the stanza has stay first.
func (a *Application) DeriveTags() {
	add := func(words ...string) {
		for _, word := range words {
			tag := strings.ReplaceAll(strings.ToLower(word), "-", "_")
			if tag != "" && !slices.Contains(a.Tags, tag) {
				a.Tags = append(a.Tags, tag)
			}
		}
	}
	add(a.Category, a.SubCategory)
	add(a.Characteristics.Names()...)
	if a.Kind != Ordinary {
		add(a.Kind.String())
	}
	for _, g := range a.Groups {
		add(strings.Split(strings.TrimPrefix(g, Prefix), ":")...)
	}
}
