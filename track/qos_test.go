package track

import (
	"slices"
	"strings"
	"testing"
)

// The message of AppQoS has its fields in their order; the history keeps them.
// Rows: QS-35.
func TestQoSMessage(t *testing.T) {
	s := fullSession()
	s.QoS = &QoS{RuleSet: "app-test1", Rule: "0", Action: "mark rate-limit", Marks: "dscp-code-point=010100", Limits: "client-to-server=test-r2"}
	const structured = `<14>1 2018-10-25T01:00:18.179Z gw1 RT_APPQOS - APPQOS_LOG_EVENT [junos@2636.1.1.1.2.129 timestamp="2018-10-25T01:00:18.179Z" message-type="rule-match" ` +
		`source-address="192.0.2.10" source-port="34880" destination-address="198.51.100.2" destination-port="80" protocol-name="tcp" application-name="GOOGLE-GEN" ` +
		`rule-set-name="app-test1" rule-name="0" action="mark rate-limit" argument="dscp-code-point=010100" argument1="client-to-server=test-r2"]`
	if got := renderOne(Structured, AppQoS, "", s); got != structured {
		t.Errorf("structured:\n%s\nwant\n%s", got, structured)
	}
	const plain = "RT_APPQOS: APPQOS_LOG_EVENT: 2018-10-25T01:00:18.179Z rule-match 192.0.2.10/34880->198.51.100.2/80 tcp GOOGLE-GEN app-test1 0 mark rate-limit " +
		"dscp-code-point=010100 client-to-server=test-r2"
	if got := renderOne(Plain, AppQoS, "", s); !strings.HasSuffix(got, plain) {
		t.Errorf("plain:\n%s\nwant\n%s", got, plain)
	}

	var c codec
	batch := c.begin(nil)
	for _, e := range []Entry{
		{Tag: FlowCreate, Time: testTime, Session: *fullSession()}, {Tag: AppQoS, Time: testTime, Session: *s}, {Tag: FlowClose, Time: testTime, Session: *fullSession()},
	} {
		batch = c.encode(batch, &e)
	}
	kept, err := decodeBatch(batch, 1)
	if err != nil || len(kept) != 3 {
		t.Fatalf("%d records of 3, %v", len(kept), err)
	}
	if kept[0].Session.QoS != nil || kept[1].Session.QoS == nil || *kept[1].Session.QoS != *s.QoS || kept[2].Session.QoS != nil {
		t.Errorf("kept %+v, %+v and %+v", kept[0].Session.QoS, kept[1].Session.QoS, kept[2].Session.QoS)
	}
	if !slices.Contains(Tags(), AppQoS) || AppQoS.decryption() || AppQoS.application() {
		t.Error("it is a message of another part")
	}
}
