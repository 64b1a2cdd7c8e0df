// Package godebug answers for the standard library's internal/godebug: no setting of the
// environment changes this TLS, so that every setting has its default.
package godebug

// Setting is one setting of GODEBUG.
type Setting struct{}

// New returns the named setting.
func New(string) *Setting { return &Setting{} }

// Value is always empty, which stands for the default.
func (*Setting) Value() string { return "" }

// IncNonDefault would count a use of the setting; there is none.
func (*Setting) IncNonDefault() {}
