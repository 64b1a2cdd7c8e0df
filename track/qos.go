package track

// QoS is what a record says of an AppQoS rule that decided about a session.
type QoS struct {
	RuleSet string `json:"rule-set"`
	Rule    string `json:"rule"`
	Action  string `json:"action"`             // what the rule does: mark, rate-limit, both, or nothing
	Marks   string `json:"marks,omitempty"`    // dscp-code-point=010100 forwarding-class=… loss-priority=…
	Limits  string `json:"limiters,omitempty"` // client-to-server=… server-to-client=…
}

// names are the fields of q.
func (q *QoS) names() [5]*string {
	return [...]*string{&q.RuleSet, &q.Rule, &q.Action, &q.Marks, &q.Limits}
}

// ruleMatch is the kind of AppQoS message that there is: a rule decided about a session.
const ruleMatch = "rule-match"

// AppQoS logs that an AppQoS rule decided about a session (APPQOS_LOG_EVENT). The caller decides by the
// rule whether it is to be logged.
func (t *Tracker) AppQoS(s *Session, q QoS) {
	about := *s
	about.QoS = &q
	t.put(AppQoS, &about, "")
}

// qosLayout is the layout of AppQoS messages.
func qosLayout() layout {
	return layout{
		process: "RT_APPQOS", severity: severityInfo,
		structured: "timestamp message-type source-address source-port destination-address destination-port protocol-name application-name " +
			"rule-set-name qos-rule-name action argument argument1",
		plain: "{timestamp} {message-type} {source-address}/{source-port}->{destination-address}/{destination-port} {protocol-name} {application-name} " +
			"{rule-set-name} {qos-rule-name} {action} {argument} {argument1}",
	}
}

// qos is a field of AppQoS messages.
func qos(name string, value func(q *QoS) string) field {
	return text(name, notApplicable, func(s *Session) string {
		if s.QoS == nil {
			return ""
		}
		return value(s.QoS)
	})
}
