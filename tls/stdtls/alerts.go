package tls

import "errors"

// Alerts that callbacks may choose (RFC 8446 section 6). Where an error of GetConfigForClient,
// GetCertificate, GetClientCertificate (up to TLS 1.2), VerifyPeerCertificate or VerifyConnection
// has an AlertError in its chain, that is the alert that the peer is sent.
const (
	AlertHandshakeFailure       AlertError = AlertError(alertHandshakeFailure)
	AlertBadCertificate         AlertError = AlertError(alertBadCertificate)
	AlertUnsupportedCertificate AlertError = AlertError(alertUnsupportedCertificate)
	AlertCertificateRevoked     AlertError = AlertError(alertCertificateRevoked)
	AlertCertificateExpired     AlertError = AlertError(alertCertificateExpired)
	AlertCertificateUnknown     AlertError = AlertError(alertCertificateUnknown)
	AlertUnknownCA              AlertError = AlertError(alertUnknownCA)
	AlertAccessDenied           AlertError = AlertError(alertAccessDenied)
	AlertProtocolVersion        AlertError = AlertError(alertProtocolVersion)
	AlertInsufficientSecurity   AlertError = AlertError(alertInsufficientSecurity)
	AlertInternalError          AlertError = AlertError(alertInternalError)
	AlertUserCanceled           AlertError = AlertError(alertUserCanceled)
	AlertUnrecognizedName       AlertError = AlertError(alertUnrecognizedName)
	AlertBadCertificateStatus   AlertError = AlertError(alertBadCertificateStatusResponse)
	AlertCertificateRequired    AlertError = AlertError(alertCertificateRequired)
	AlertNoApplicationProtocol  AlertError = AlertError(alertNoApplicationProtocol)
)

// alertOf is the alert that an error of a callback asks for.
func alertOf(err error, otherwise alert) alert {
	if chosen, ok := errors.AsType[AlertError](err); ok {
		return alert(chosen)
	}
	return otherwise
}

// As makes an alert that was received or sent known to errors.As as an AlertError. Which of the two
// it is says the Op of the *net.OpError around it: "remote error" or "local error".
func (e alert) As(target any) bool {
	if t, ok := target.(*AlertError); ok {
		*t = AlertError(e)
		return true
	}
	return false
}
