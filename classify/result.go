package classify

import (
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Result is what is known of a session's application at some moment.
type Result struct {
	// Protocol is the base protocol, "junos:SSL"; "junos:UNKNOWN" when nothing is known.
	Protocol string
	// Application is the nested application over it, "junos:FACEBOOK", or "".
	Application string
	// Micro is what the application is doing, "junos:MODBUS-READ-COILS", or "".
	Micro string
	// Group is the group of the application, or of the protocol where there is none; or "".
	Group string
	// Confidence says how sure Protocol and Application are.
	Confidence Confidence
	// Evidence says what decided: "decoder" (the bytes, and names in them), "sni", "certificate",
	// "dns" (a name asked for, or an earlier answer for the address), "signature NAME", "cache" (an
	// earlier session), "address", "port" (a port that is usual, or that another session
	// arranged); or "" when nothing did.
	Evidence string
	// EncryptedHello is set when the ClientHello was encrypted (ECH): the application is then
	// that of the outer name or of an earlier answer for the address, not of the name the client
	// asked for.
	EncryptedHello bool
	// StrangeName is set when the client asked for a server name that belongs to no application.
	StrangeName bool
	// Turned is set when Meta.Guessed was wrong: the client is the server.
	Turned bool
	// Final is set when the answer will not change any more, as State FinalMatch.
	Final bool
	// Extended is the custom application of the server's address, beside that of a signature in
	// Application; or "".
	Extended string
	// Encrypted is set when what the session carries is encrypted.
	Encrypted bool
	// Transactions is the number of transactions that are complete.
	Transactions int
	State        Stage
	// HowFinal says what made the answer final.
	HowFinal HowFinal
}

// Name is the most specific name: the application, or the protocol where there is none.
func (r *Result) Name() string {
	if r.Application != "" {
		return r.Application
	}
	return r.Protocol
}

// Stage is how far the identification of a session has come.
type Stage uint8

const (
	// PreMatch is the state before something is identified for good.
	PreMatch Stage = iota
	// TransactionFinal says that a transaction is complete; the next may carry something else.
	TransactionFinal
	// FinalMatch says that the answer will not change any more.
	FinalMatch
)

var stateNames = [...]string{"Pre-match", "Transaction final", "Final match"}

// String is the state as commands show it.
func (s Stage) String() string { return stateNames[s] }

// HowFinal says what made an answer final.
type HowFinal uint8

const (
	// NotFinal is that of an answer that may still change.
	NotFinal HowFinal = iota
	// ByInspection says that the bytes decided.
	ByInspection
	// ByPreMatch says that the session ended, or its inspection did, with what was known by then.
	ByPreMatch
	// ByLimits says that a limit was reached, or the session ended, before anything was known.
	ByLimits
)

// settle makes an answer final. inspected says that the inspection had come to its end by itself.
func (a *answer) settle(inspected bool) {
	a.final, a.stage = true, FinalMatch
	switch {
	case a.protocol == nil && a.application == nil:
		a.how = ByLimits
	case inspected:
		a.how = ByInspection
	default:
		a.how = ByPreMatch
	}
}

// Confidence says how sure an answer is.
type Confidence uint8

const (
	// NoConfidence means that nothing is known.
	NoConfidence Confidence = iota
	// Low means known only from where the session goes (an address, an earlier session).
	Low
	// Medium means that the bytes look like it, but would look the same for something else.
	Medium
	// High means that the bytes say so.
	High
)

var confidenceNames = [...]string{"none", "low", "medium", "high"}

// String is the confidence in one word.
func (c Confidence) String() string { return confidenceNames[c] }

// source is a sort of evidence for an application, the strongest first.
type source uint8

const (
	noSource source = iota
	bySignature
	byDecoder
	byServerName
	byHost
	byCertificate
	byDNSName // a name asked for in this session
	byCarried // the protocol inside, known by its name
	byExpectation
	byDNS // an earlier answer for the address
	byCache
	byAddress
	byPort
)

var sourceNames = [...]string{"", "signature", "decoder", "sni", "decoder", "certificate", "dns", "decoder",
	"port", "dns", "cache", "address", "port"}

// sourceOf is the sort of evidence that a host name found in a context is.
func sourceOf(c decode.Context) source {
	switch c {
	case decode.SSLServerName, decode.QUICServerName, decode.SSLECH:
		return byServerName
	case decode.SSLCommonName, decode.SSLSubjectAltName, decode.SSLOrganization, decode.SSLIssuer:
		return byCertificate
	case decode.DNSQuery, decode.DNSAnswer:
		return byDNSName
	}
	return byHost
}

// answer is the compact form of a Result that a Flow keeps.
type answer struct {
	protocol, application, micro *appdb.Application
	signature                    string // name of the signature that decided, or ""
	confidence                   Confidence
	evidence                     source
	encryptedHello, turned       bool
	strangeName                  bool
	encrypted, final             bool
	stage                        Stage
	how                          HowFinal
	transactions                 uint16
	begun                        bool  // bytes of another transaction had come when the answer was final
	coming                       uint8 // number of custom applications that may still be found
	extended                     *appdb.Application
	site                         string // see Flow.Site
}

func (a *answer) result() Result {
	r := Result{
		Protocol: appdb.Unknown, Confidence: a.confidence, Evidence: sourceNames[a.evidence],
		EncryptedHello: a.encryptedHello, StrangeName: a.strangeName, Turned: a.turned, Final: a.final, Encrypted: a.encrypted,
		Transactions: int(a.transactions), State: a.stage, HowFinal: a.how,
	}
	if a.protocol != nil {
		r.Protocol, r.Group = a.protocol.Name, a.protocol.Group()
	}
	if a.application != nil {
		r.Application, r.Group = a.application.Name, a.application.Group()
	}
	if a.micro != nil {
		r.Micro = a.micro.Name
	}
	if a.extended != nil {
		r.Extended = a.extended.Name
	}
	if a.evidence == bySignature {
		r.Evidence += " " + a.signature
	}
	return r
}
