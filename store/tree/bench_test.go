package tree

import (
	"fmt"
	"strings"
	"testing"
)

// branch is a configuration of many policies in set form.
func branch(policies int) string {
	var b strings.Builder
	b.WriteString("set security zones security-zone trust interfaces eth1\nset security zones security-zone untrust interfaces eth2\n")
	for i := range policies {
		p := fmt.Sprintf("set security policies from-zone trust to-zone untrust policy p%d ", i)
		fmt.Fprintf(&b, "set security address-book global address a%d 192.0.2.%d/32\n", i, i%256)
		fmt.Fprintf(&b, "%smatch source-address a%d destination-address any application junos-http\n", p, i)
		fmt.Fprintf(&b, "%sthen permit\n%sthen log session-close\n%sthen count\n", p, p, p)
	}
	return b.String()
}

const manyPolicies = 10000

func BenchmarkParse(b *testing.B) {
	t := load(b, branch(manyPolicies))
	text := t.Text()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, problems := Parse(text); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkLoadSet(b *testing.B) {
	text := branch(manyPolicies)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if problems := New().Load(LoadSet, nil, text); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	t := load(b, branch(manyPolicies))
	for b.Loop() {
		if _, problems := t.Decode(); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkExpandAndDecode(b *testing.B) {
	t := load(b, branch(manyPolicies)+`
set groups log security policies from-zone <*> to-zone <*> policy <*> then log session-init
set apply-groups log
`)
	for b.Loop() {
		if _, problems := t.Decode(); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkText(b *testing.B) {
	t := load(b, branch(manyPolicies))
	for b.Loop() {
		if t.Text() == "" {
			b.Fatal("empty")
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	t := load(b, branch(manyPolicies))
	o := t.Clone()
	if err := o.Run(nil, "delete security policies from-zone trust to-zone untrust policy p5000"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if Compare(t, o, nil) == "" {
			b.Fatal("empty")
		}
	}
}

func BenchmarkClone(b *testing.B) {
	t := load(b, branch(manyPolicies))
	for b.Loop() {
		t.Clone()
	}
}

func BenchmarkRun(b *testing.B) {
	t := load(b, branch(manyPolicies))
	for b.Loop() {
		if err := t.Run(nil, "set security policies from-zone trust to-zone untrust policy p9999 match application junos-https"); err != nil {
			b.Fatal(err)
		}
	}
}
