package manage

import (
	"fmt"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/policy"
	"sluice/proxy"
	"sluice/store/schema"
)

// Policies knows the engine that judges sessions now; every commit makes another. It is nil until
// the first configuration is in force.
type Policies interface{ Policies() *policy.Engine }

// policies is the engine, or an error when the gateway runs without one.
func (s *Server) policies() (*policy.Engine, error) {
	if s.options.Policies == nil {
		return nil, &api.Error{Message: "the gateway has no policies"}
	}
	if engine := s.options.Policies.Policies(); engine != nil {
		return engine, nil
	}
	return nil, &api.Error{Message: "no configuration is in force yet"}
}

func showPolicies(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	listing := engine.List(policy.Filter{FromZone: r.args["from-zone"], ToZone: r.args["to-zone"], Global: r.args.Has("global"), Name: r.args["policy-name"]})
	return &view.Policies{Default: listing.DefaultPolicy, PreIDDefault: listing.PreIDDefaultPolicy, Policies: view.PolicyList(listing.Policies), Detail: r.args.Has("detail")}, nil
}

func showHitCounts(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	answer := &view.HitCounts{Policies: []view.HitCount{}}
	for _, p := range chosen(engine, r) {
		answer.Policies = append(answer.Policies, view.HitCount{FromZone: p.FromZone, ToZone: p.ToZone, Name: p.Name, Count: p.Counters.Hits.Load(), Action: p.Action.String()})
	}
	byCount := func(a, b view.HitCount) int { return int(int64(a.Count) - int64(b.Count)) }
	switch {
	case r.args.Has("ascending"):
		slices.SortStableFunc(answer.Policies, byCount)
	case r.args.Has("descending"):
		slices.SortStableFunc(answer.Policies, func(a, b view.HitCount) int { return byCount(b, a) })
	}
	return answer, nil
}

func clearHitCounts(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	list := chosen(engine, r)
	for _, p := range list {
		p.Counters.Hits.Store(0)
	}
	return &view.Message{Message: "Hit counts of " + countOf(len(list), "policy", "policies") + " set to zero"}, nil
}

// chosen are the policies of the zones that the request names.
func chosen(engine *policy.Engine, r *request) []*policy.Policy {
	var list []*policy.Policy
	for _, p := range engine.Policies() {
		if from := r.args["from-zone"]; from != "" && from != p.FromZone {
			continue
		}
		if to := r.args["to-zone"]; to != "" && to != p.ToZone {
			continue
		}
		list = append(list, p)
	}
	return list
}

func showMatchPolicies(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	var zones []string
	for _, z := range engine.Zones() {
		zones = append(zones, z.Name)
	}
	for _, name := range []string{"from-zone", "to-zone"} {
		if zone := r.args[name]; zone != policy.HostZone && !slices.Contains(zones, zone) {
			return nil, &api.Error{Message: fmt.Sprintf("there is no zone %q", zone), Hint: schema.DidYouMean(zone, zones)}
		}
	}
	f := &policy.Flow{FromZone: r.args["from-zone"], ToZone: r.args["to-zone"], Src: r.address("source-ip"), Dst: r.address("destination-ip"),
		Protocol: schema.ProtoTCP, SrcPort: uint16(r.number("source-port")), DstPort: uint16(r.number("destination-port"))}
	if p := r.protocol(); p != nil {
		f.Protocol = *p
	}
	switch f.Protocol {
	case schema.ProtoTCP, schema.ProtoUDP:
		if f.DstPort == 0 {
			return nil, &api.Error{Message: "the destination port is missing", Hint: "give destination-port"}
		}
	case schema.ProtoICMP:
		f.ICMPType = 8 // echo request
	case schema.ProtoICMPv6:
		f.ICMPType = 128 // echo request
	}
	if f.SrcPort == 0 {
		f.SrcPort = 1024
	}
	if r.args.Has("user") || r.args.Has("role") {
		f.User = &policy.User{Name: r.args["user"]}
		if r.args.Has("role") {
			f.User.Roles = []string{r.args["role"]}
		}
	}
	if name := r.args["dynamic-application"]; name != "" {
		if f.Content, err = s.contentOf(name); err != nil {
			return nil, err
		}
	}
	if name := r.args["url-category"]; name != "" {
		if f.Content, err = inCategory(engine, f.Content, name); err != nil {
			return nil, err
		}
	}
	return &view.Matches{Policies: view.PolicyList(engine.MatchPolicies(f, int(max(1, r.number("result-count")))))}, nil
}

// contentOf is what policies may match of a session that carries an application.
func (s *Server) contentOf(name string) (*policy.Content, error) {
	if strings.EqualFold(strings.TrimPrefix(name, appdb.Prefix), strings.TrimPrefix(appdb.Unknown, appdb.Prefix)) {
		return policy.UnknownContent, nil
	}
	catalogue, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	a, err := lookUp(catalogue, name)
	if err != nil {
		return nil, err
	}
	content := &policy.Content{Names: []string{a.Name}, Settled: true, Final: true}
	if of, ok := catalogue.Lookup(a.Of); ok && a.Kind == appdb.Micro {
		content.Names = append(content.Names, of.Name)
	}
	return content, nil
}

// inCategory is content, or nothing, of a web address in a category.
func inCategory(engine *policy.Engine, content *policy.Content, name string) (*policy.Content, error) {
	known := engine.CategoryNames()
	if !slices.Contains(known, name) {
		return nil, &api.Error{Message: fmt.Sprintf("there is no URL category %q", name), Hint: schema.DidYouMean(name, known)}
	}
	var located policy.Content
	if content != nil {
		located = *content
	}
	located.Categories, located.Located = []string{name}, true
	return &located, nil
}

func showFirewalls(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	answer, wanted := &view.Firewalls{RuleSets: []view.Firewall{}}, r.args["rule-set"]
	var known []string
	for _, f := range engine.Firewalls() {
		known = append(known, f.Name)
		if wanted != "" && f.Name != wanted {
			continue
		}
		set := view.Firewall{FirewallView: f}
		if s.options.Sessions != nil {
			for _, info := range s.options.Sessions.Sessions(proxy.Filter{RuleSet: f.Name}) {
				if info.Open {
					set.Pending++
				}
			}
		}
		answer.RuleSets = append(answer.RuleSets, set)
	}
	if wanted != "" && len(answer.RuleSets) == 0 {
		return nil, &api.Error{Message: fmt.Sprintf("there is no rule set %q", wanted), Hint: schema.DidYouMean(wanted, known)}
	}
	return answer, nil
}

func showZones(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	accepted := map[string][]string{}
	for _, rule := range engine.HostInbound() {
		accepted[rule.Interface] = services(rule.Accept)
	}
	answer := &view.Zones{Zones: []view.Zone{}}
	wanted := r.args["zone"]
	var known []string
	for _, z := range engine.Zones() {
		known = append(known, z.Name)
		if wanted != "" && z.Name != wanted {
			continue
		}
		zone := view.Zone{Name: z.Name, Description: z.Description, TCPReset: z.TCPReset, ApplicationTracking: z.ApplicationTracking, Interfaces: []view.ZoneInterface{}}
		for _, name := range z.Interfaces {
			zone.Interfaces = append(zone.Interfaces, view.ZoneInterface{Name: name, HostInbound: accepted[name]})
		}
		answer.Zones = append(answer.Zones, zone)
	}
	if wanted != "" && len(answer.Zones) == 0 {
		return nil, &api.Error{Message: fmt.Sprintf("there is no zone %q", wanted), Hint: schema.DidYouMean(wanted, known)}
	}
	return answer, nil
}

// services are the words by which traffic to the gateway is accepted, each once.
func services(list []policy.HostMatch) []string {
	var words []string
	for _, m := range list {
		if !slices.Contains(words, m.Service) {
			words = append(words, m.Service)
		}
	}
	return words
}

func showNATRules(s *Server, r *request) (view.View, error) {
	hits, err := s.natHits()
	if err != nil {
		return nil, err
	}
	cfg, _ := s.options.Store.Active()
	answer := &view.NATRules{Rules: []view.NATRule{}}
	wanted, position := r.args["rule"], 0
	for i := range cfg.Security.NAT.Source.RuleSets {
		set := &cfg.Security.NAT.Source.RuleSets[i]
		for j := range set.Rules {
			position++
			rule := &set.Rules[j]
			if wanted != "" && rule.Name != wanted {
				continue
			}
			action := "off"
			if rule.Then.SourceNAT.Interface {
				action = "interface"
			}
			answer.Rules = append(answer.Rules, view.NATRule{Name: rule.Name, RuleSet: set.Name, Position: position, From: place(&set.From), To: place(&set.To),
				Match: natTerms(&rule.Match), Action: action, Hits: hits[set.Name+"/"+rule.Name]})
		}
	}
	return answer, nil
}

// natHits are the sessions that each rule ("set/rule") has translated.
func (s *Server) natHits() (map[string]uint64, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	hits := map[string]uint64{}
	for _, rule := range engine.NATRules() {
		hits[rule.Name] = rule.Counters.Hits.Load()
	}
	return hits, nil
}

// place is where a rule set holds, in words.
func place(c *schema.NATContext) string {
	switch {
	case len(c.Zones) > 0:
		return "zone " + strings.Join(c.Zones, ", ")
	case len(c.Interfaces) > 0:
		return "interface " + strings.Join(c.Interfaces, ", ")
	}
	return ""
}

// natTerms are the terms of a rule, in words.
func natTerms(m *schema.NATMatch) []string {
	terms := []string{}
	add := func(name string, values []string) {
		if len(values) > 0 {
			terms = append(terms, name+": "+strings.Join(values, ", "))
		}
	}
	add("Source addresses", append(texts(m.SourceAddress), m.SourceAddressName...))
	add("Destination addresses", append(texts(m.DestinationAddress), m.DestinationAddressName...))
	add("Source ports", texts(m.SourcePort))
	add("Destination ports", texts(m.DestinationPort))
	add("IP protocols", texts(m.Protocol))
	add("Applications", m.Application)
	return terms
}

// texts are values as they are typed.
func texts[T fmt.Stringer](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}

func showNATSummary(s *Server, _ *request) (view.View, error) {
	hits, err := s.natHits()
	if err != nil {
		return nil, err
	}
	cfg, _ := s.options.Store.Active()
	answer := &view.NATSummary{RuleSets: len(cfg.Security.NAT.Source.RuleSets), Rules: len(hits)}
	for _, n := range hits {
		answer.Hits += n
	}
	return answer, nil
}

func showSchedulers(s *Server, r *request) (view.View, error) {
	engine, err := s.policies()
	if err != nil {
		return nil, err
	}
	used := map[string]policy.SchedulerView{}
	for _, v := range engine.Schedulers() {
		used[v.Name] = v
	}
	cfg, _ := s.options.Store.Active()
	answer := &view.Schedulers{Schedulers: []view.Scheduler{}}
	for i := range cfg.Schedulers.Schedulers {
		sch := &cfg.Schedulers.Schedulers[i]
		if wanted := r.args["scheduler"]; wanted != "" && wanted != sch.Name {
			continue
		}
		state := "unused"
		if u, ok := used[sch.Name]; ok {
			state = "inactive"
			if u.Active {
				state = "active"
			}
		}
		answer.Schedulers = append(answer.Schedulers, view.Scheduler{Name: sch.Name, Description: sch.Description, State: state, Policies: used[sch.Name].Policies})
	}
	return answer, nil
}

// countOf is a number with its noun.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
