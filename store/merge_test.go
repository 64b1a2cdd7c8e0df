package store

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/store/tree"
)

const (
	policies = "security policies from-zone trust to-zone untrust"
	p1       = policies + " policy p1"
)

func TestMerge(t *testing.T) {
	base := []string{
		"set system host-name gw",
		"set interfaces eth1 description lan",
		"set interfaces eth2 description dmz",
		"set " + p1 + " match application any",
		"set " + p1 + " then permit",
		"set " + policies + " policy p2 then deny",
		"set " + policies + " policy p3 then deny",
	}
	tests := []struct {
		name         string
		theirs, mine []string // edits of base
		want         []string // edits of base that give the same, nil where they conflict
		conflicts    []string
	}{
		{name: "nothing", want: []string{}},
		{name: "different branches",
			theirs: []string{"set system services ssh"},
			mine:   []string{"set interfaces eth3 description wan"},
			want:   []string{"set interfaces eth3 description wan", "set system services ssh"}},
		{name: "one entry",
			theirs: []string{"set interfaces eth1 mtu 1400"},
			mine:   []string{"set interfaces eth1 description office"},
			want:   []string{"set interfaces eth1 mtu 1400", "set interfaces eth1 description office"}},
		{name: "the same",
			theirs: []string{"set system host-name new", "delete interfaces eth2"},
			mine:   []string{"set system host-name new", "delete interfaces eth2"},
			want:   []string{"set system host-name new", "delete interfaces eth2"}},
		{name: "both remove all that a container holds, one of them something else as well",
			theirs: []string{"delete interfaces eth1"},
			mine:   []string{"delete interfaces"},
			want:   []string{"delete interfaces"}},
		{name: "a container emptied and filled",
			theirs: []string{"delete interfaces eth1", "delete interfaces eth2"},
			mine:   []string{"set interfaces eth3 description wan"},
			want:   []string{"delete interfaces eth1", "delete interfaces eth2", "set interfaces eth3 description wan"}},
		{name: "one value, two opinions",
			theirs: []string{"set system host-name theirs"}, mine: []string{"set system host-name mine"},
			conflicts: []string{"system host-name theirs"}},
		{name: "a choice, two opinions",
			theirs: []string{"set " + policies + " policy p2 then permit"}, mine: []string{"set " + policies + " policy p2 then reject"},
			conflicts: []string{policies + " policy p2 then permit"}},
		{name: "removed and changed",
			theirs: []string{"delete " + p1}, mine: []string{"set " + p1 + " then count"},
			conflicts: []string{p1}},
		{name: "changed and removed",
			theirs: []string{"set " + p1 + " then count"}, mine: []string{"delete " + p1},
			conflicts: []string{p1}},
		{name: "added at the end by both",
			theirs: []string{"set " + policies + " policy t then permit"},
			mine:   []string{"set " + policies + " policy m then permit"},
			want:   []string{"set " + policies + " policy t then permit", "set " + policies + " policy m then permit"}},
		{name: "inserted where it belongs",
			theirs: []string{"set " + policies + " policy t then permit", "insert " + policies + " policy t before policy p1"},
			mine:   []string{"set " + policies + " policy m then deny", "insert " + policies + " policy m before policy p2"},
			want: []string{"set " + policies + " policy t then permit", "insert " + policies + " policy t before policy p1",
				"set " + policies + " policy m then deny", "insert " + policies + " policy m after policy p1"}},
		{name: "mine reordered, theirs added",
			theirs: []string{"set " + policies + " policy t then permit", "insert " + policies + " policy t after policy p1"},
			mine:   []string{"insert " + policies + " policy p3 before policy p1"},
			want: []string{"insert " + policies + " policy p3 before policy p1", "set " + policies + " policy t then permit",
				"insert " + policies + " policy t after policy p1"}},
		{name: "reordered differently",
			theirs:    []string{"insert " + policies + " policy p2 before policy p1"},
			mine:      []string{"insert " + policies + " policy p3 before policy p1"},
			conflicts: []string{policies}},
		{name: "marks and comments",
			theirs: []string{"deactivate " + p1, `annotate interfaces eth1 "two\nlines {"`},
			mine:   []string{"protect interfaces eth2", "set " + p1 + " then count"},
			want:   []string{"set " + p1 + " then count", "deactivate " + p1, `annotate interfaces eth1 "two\nlines {"`, "protect interfaces eth2"}},
		{name: "different comments",
			theirs: []string{`annotate interfaces eth1 "theirs"`}, mine: []string{`annotate interfaces eth1 "mine"`},
			conflicts: []string{"interfaces eth1"}},
		{name: "words that look like signs",
			theirs: []string{`set interfaces eth1 description "a { b; } /* c"`},
			mine:   []string{`set interfaces eth2 description "inactive: }"`},
			want:   []string{`set interfaces eth1 description "a { b; } /* c"`, `set interfaces eth2 description "inactive: }"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			from := func(edits []string) *tree.Tree { return made(t, slices.Concat(base, edits)...) }
			merged, conflicts := merge(from(nil), from(test.theirs), from(test.mine))
			if !slices.Equal(conflicts, test.conflicts) {
				t.Fatalf("conflicts %q, want %q", conflicts, test.conflicts)
			}
			if test.want != nil && !merged.Equal(from(test.want)) {
				t.Errorf("merged:\n%s\nwant:\n%s", merged.Text(), from(test.want).Text())
			}
		})
	}
}

// A statement that this version does not know is merged like any other.
func TestMergeUnknownStatements(t *testing.T) {
	read := func(text string) *tree.Tree {
		tr, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	base := "future { colour red; shape { round; } }\n"
	merged, conflicts := merge(read(base), read("future { colour red; shape { round; flat; } }\n"), read("future { colour red; }\n"+"system { host-name gw; }\n"))
	if len(conflicts) != 1 || conflicts[0] != "future shape" {
		t.Errorf("conflicts %q, merged\n%v", conflicts, merged)
	}
	merged, conflicts = merge(read(base), read("future { colour blue; shape { round; } }\n"), read(base+"system { host-name gw; }\n"))
	if want := read("future { colour blue; shape { round; } }\nsystem { host-name gw; }\n"); len(conflicts) > 0 || !merged.Equal(want) {
		t.Errorf("conflicts %q, merged\n%s", conflicts, merged.Text())
	}
}

// Whatever the two sides did: a side that did nothing loses nothing, and without a conflict all that
// either added is there, all that either removed is not, and nothing else has changed.
func TestMergeLaws(t *testing.T) {
	pool := []string{
		"set system host-name a", "set system host-name b", "set system services ssh",
		"set interfaces eth1 description a", "set interfaces eth1 description b", "set interfaces eth1 mtu 1400",
		"set interfaces eth1 unit 0 family inet address 192.0.2.1/24", "set interfaces eth1 unit 0 family inet address 192.0.2.2/24",
		"set interfaces eth2 disable", "set " + p1 + " match application any", "set " + p1 + " match source-address any",
		"set " + p1 + " then permit", "set " + p1 + " then deny", "set " + p1 + " then count",
		"set " + policies + " policy p2 then reject", "set security zones security-zone trust interfaces eth1",
		"set security zones security-zone trust interfaces eth2", "deactivate interfaces eth1", `annotate interfaces "a"`,
		"delete interfaces eth1", "delete system host-name", "delete " + p1, "delete security zones", "delete interfaces",
		"insert " + policies + " policy p2 before policy p1",
	}
	random := rand.New(rand.NewPCG(1, 2))
	edited := func(from *tree.Tree) *tree.Tree {
		next := from.Clone()
		for range random.IntN(6) {
			_ = next.Run(nil, pool[random.IntN(len(pool))]) // what is not there cannot be deleted
		}
		return next
	}
	agreed := 0
	for range 3000 {
		base := edited(edited(tree.New()))
		theirs, mine := edited(base), edited(base)
		if same, conflicts := merge(base, theirs, base); len(conflicts) > 0 || !same.Equal(theirs) {
			t.Fatalf("only theirs changed: conflicts %q\nbase\n%s\ntheirs\n%s\nmerged\n%s", conflicts, base.Text(), theirs.Text(), same.Text())
		}
		if same, conflicts := merge(base, base, mine); len(conflicts) > 0 || !same.Equal(mine) {
			t.Fatalf("only mine changed: conflicts %q\nbase\n%s\nmine\n%s\nmerged\n%s", conflicts, base.Text(), mine.Text(), same.Text())
		}
		merged, conflicts := merge(base, theirs, mine)
		if len(conflicts) > 0 {
			continue
		}
		agreed++
		b, o, m, got := statements(t, base), statements(t, theirs), statements(t, mine), statements(t, merged)
		for line := range union(b, o, m, got) {
			want := o.has(line)
			if m.has(line) != b.has(line) {
				want = m.has(line)
			}
			if got.has(line) != want {
				t.Fatalf("%q is there: %v\nbase\n%s\ntheirs\n%s\nmine\n%s\nmerged\n%s", line, !want, base.Text(), theirs.Text(), mine.Text(), merged.Text())
			}
		}
	}
	if agreed < 1000 {
		t.Errorf("only %d of 3000 merges were without a conflict", agreed)
	}
}

// made is the tree that the statements make.
func made(t *testing.T, statements ...string) *tree.Tree {
	t.Helper()
	tr := tree.New()
	for _, statement := range statements {
		if err := tr.Run(nil, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return tr
}

// lines is the set form of a tree.
type lines map[string]bool

func statements(t *testing.T, tr *tree.Tree) lines {
	t.Helper()
	text, err := tr.Show(tree.Set, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := lines{}
	for line := range strings.Lines(text) {
		all[strings.TrimSpace(line)] = true
	}
	return all
}

// has says whether the line is there, or another that implies it.
func (l lines) has(line string) bool {
	for other := range l {
		if other == line || strings.HasPrefix(other, line+" ") {
			return true
		}
	}
	return false
}

func union(sets ...lines) lines {
	all := lines{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

// A word that ends in a colon, as addresses of networks do, is part of its statement.
func TestMergeColons(t *testing.T) {
	base, problems := tree.Parse("")
	theirs, more := tree.Parse("future { 2001:db8:: next { a; } 2001:db8:1:: next { b; } next { c; } }\n")
	if problems = append(problems, more...); len(problems) > 0 {
		t.Fatal(problems)
	}
	merged, conflicts := merge(base, theirs, base)
	if len(conflicts) > 0 || !merged.Equal(theirs) {
		t.Errorf("conflicts %q\n%s", conflicts, merged.Text())
	}
}

// Whatever stands in the texts, also statements of other versions: a side that did nothing loses nothing.
func FuzzMerge(f *testing.F) {
	f.Add("system { host-name a; }\n", "system { host-name a; services { ssh; } }\n", "system { host-name b; }\n")
	f.Add("/* a\nb */\nfuture { x y; }\n", "inactive: future { x \"}\"; }\n", "protect: future { x y { z; } }\n")
	f.Add("interfaces { eth1 { description \"/* { */\"; } }\n", "interfaces { eth1; }\n", "")
	f.Fuzz(func(t *testing.T, base, theirs, mine string) {
		var trees [3]*tree.Tree
		for i, text := range []string{base, theirs, mine} {
			read, problems := tree.Parse(text)
			if len(problems) > 0 {
				t.Skip()
			}
			trees[i] = read
		}
		if same, conflicts := merge(trees[0], trees[1], trees[0]); len(conflicts) > 0 || !same.Equal(trees[1]) {
			t.Errorf("only theirs changed: conflicts %q\nbase\n%s\ntheirs\n%s\nmerged\n%s", conflicts, trees[0].Text(), trees[1].Text(), same.Text())
		}
		merge(trees[0], trees[1], trees[2])
	})
}
