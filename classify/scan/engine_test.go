package scan

import (
	"testing"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/data"
	"sluice/classify/decode"
)

// CS-28, CS-30, CS-38: custom signatures, with the engine that asks for them.
func TestEngine(t *testing.T) {
	host := in(decode.HTTPHost, ".*agent1.*")
	host.Directions, host.Depth = toServer, 100
	http := app("my_custom_http", appdb.Pattern{Name: "s1", Over: "HTTP", Members: []appdb.Member{host}})
	http.Priority = appdb.High
	tcp := app("my_custom_tcp", appdb.Pattern{Name: "s1", Over: "TCP", Members: []appdb.Member{in(decode.Stream, ".*install.*")}})
	known, _ := data.Load()
	db, problems := known.With([]*appdb.Application{http, tcp}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, problems, err := Compile(t.Context(), db, Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	defer s.Close()
	engine, problems := classify.Compile(db, classify.NewState(nil), classify.Options{Signatures: s})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: www.AGENT1.example\r\n\r\n": "my_custom_http",
		"GET / HTTP/1.1\r\nHost: www.agent2.example\r\n\r\n": "",
		"#!nothing that anybody knows: install it\r\n":       "my_custom_tcp",
	} {
		meta := newBench(t).meta
		var flow classify.Flow
		engine.Begin(&flow, &meta)
		flow.Stream(decode.ToServer, []byte(text))
		flow.Close()
		got := ""
		if _, a := flow.Applications(); a != nil {
			got = a.Name
		}
		if got != want {
			t.Errorf("%q: application %q, want %q (%+v)", text, got, want, flow.Result())
		}
	}
}
