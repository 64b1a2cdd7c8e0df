package policy

import (
	"fmt"
	"strings"
	"testing"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// thousand is a signature package of 1,000 applications, junos:A0 to junos:A999.
func thousand() package1 {
	p := package1{}
	for i := range 1000 {
		name := fmt.Sprint("junos:A", i)
		p[strings.ToLower(name)] = &appdb.Application{Name: name, Number: uint32(i + 1), Over: []string{"A0"}}
	}
	return p
}

// largeByContent is large(n) whose policies are limited to four applications each.
func largeByContent(n int) *schema.Config {
	cfg := large(n)
	for i := range cfg.Security.Policies.ZonePairs {
		list := cfg.Security.Policies.ZonePairs[i].Policies
		for j := range list {
			for k := range 4 {
				list[j].Match.DynamicApplication = append(list[j].Match.DynamicApplication, fmt.Sprint("junos:A", (j*4+k)%1000))
			}
		}
	}
	return cfg
}

// A lookup while nothing is known of the application, and with the application.
func BenchmarkLookupByContent(b *testing.B) {
	apps := thousand()
	for _, n := range []int{10, 1000, 10_000} {
		st := NewState()
		e, problems := Compile(largeByContent(n), st, apps)
		if len(problems) > 0 {
			b.Fatal(problems[0])
		}
		flows := largeFlows(n, 1024)
		for name, content := range map[string]func(i int) *Content{
			"open":  func(int) *Content { return nil },
			"known": func(i int) *Content { return &Content{Names: []string{fmt.Sprint("junos:A", i%1000)}, Settled: true} },
			"final": func(i int) *Content { return of(fmt.Sprint("junos:A", i%1000)) },
		} {
			for i := range flows {
				flows[i].Content = content(i)
			}
			b.Run(fmt.Sprintf("%s/%d-policies", name, n), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					e.Lookup(&flows[i&1023])
					i++
				}
			})
		}
		st.Close()
	}
}

func BenchmarkCompileByContent(b *testing.B) {
	apps := thousand()
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d-policies", n), func(b *testing.B) {
			cfg := largeByContent(n)
			st := NewState()
			defer st.Close()
			for b.Loop() {
				if _, problems := Compile(cfg, st, apps); len(problems) > 0 {
					b.Fatal(problems[0])
				}
			}
		})
	}
}
