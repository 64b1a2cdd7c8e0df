package sigpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Format is the version of the package format that this program writes and reads.
const Format = 1

// MaxVersion is the largest version of a package.
const MaxVersion = 1<<31 - 1

// Kind tells major from minor packages.
type Kind uint8

// The kinds. A major package may need a newer protocol bundle; a minor one has only newer
// signatures and carries the protocol bundle of the major package before it.
const (
	Minor Kind = iota
	Major
)

// String is the kind as it is shown: "Major" or "Minor".
func (k Kind) String() string {
	if k == Major {
		return "Major"
	}
	return "Minor"
}

// MarshalText writes "major" or "minor".
func (k Kind) MarshalText() ([]byte, error) { return []byte(strings.ToLower(k.String())), nil }

// UnmarshalText reads "major" or "minor".
func (k *Kind) UnmarshalText(text []byte) error {
	switch string(text) {
	case "major":
		*k = Major
	case "minor":
		*k = Minor
	default:
		return fmt.Errorf("kind %q: major or minor", text)
	}
	return nil
}

// Component is a part of a package with a version of its own.
type Component struct {
	Version string    `json:"version"`
	Built   time.Time `json:"built"` // UTC
}

// String is the version with its date: "1.0.0-1 (build date Nov 22 2026)".
func (c Component) String() string {
	return fmt.Sprintf("%s (build date %s)", c.Version, c.Built.UTC().Format("Jan _2 2006"))
}

// Info is what identifies a package; the feed's signed index has it of every version.
type Info struct {
	// Version is larger for later packages; 1 to MaxVersion.
	Version int  `json:"version"`
	Kind    Kind `json:"kind"`
	// Base is the major version whose protocol bundle the package has: its own when it is major.
	Base int `json:"base"`
	// Released is when the package was made, in whole seconds of UTC.
	Released       time.Time `json:"released"`
	ProtocolBundle Component `json:"protocol-bundle"`
	Engine         Component `json:"engine"`
	MicroApps      string    `json:"micro-app-version"`
	CustomApps     string    `json:"custom-app-infra-version"`
}

// Counts says what the applications of a package are, by kind.
type Counts struct {
	// Applications are all: the sum of the others.
	Applications int `json:"applications"`
	// Protocols are what other applications run over: they are told by a decoder, by the number of
	// the IP protocol, or by a usual port.
	Protocols int `json:"protocols"`
	// Micro are micro-applications: things that another application does.
	Micro int `json:"micro-applications"`
	// Written are applications written by hand, recognised by hosts, addresses and signatures.
	Written int `json:"written"`
	// Imported are applications taken from public collections, recognised by the domain they own.
	Imported int `json:"imported"`
	// Groups, Tags, Hosts, Addresses and Signatures are not applications.
	Groups     int `json:"groups"`
	Tags       int `json:"tags"`
	Hosts      int `json:"hosts"`
	Addresses  int `json:"addresses"`
	Signatures int `json:"signatures"`
}

// Manifest says what a package is and holds.
type Manifest struct {
	Format int `json:"format"`
	Info
	Counts Counts `json:"counts"`
	// Contexts are the contexts that the package's signatures look at.
	Contexts []string `json:"contexts"`
	// Files are the SHA-256 of all other files, in hexadecimal digits, by path.
	Files map[string]string `json:"files"`

	// Digest is the SHA-256 of the manifest itself, and so identifies all bytes of the package.
	Digest string `json:"-"`
}

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// ParseManifest reads a manifest and checks that it is sound by itself. Fields it does not know
// are a reason to refuse: they would be promises that nobody keeps.
func ParseManifest(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("manifest: larger than %d bytes", maxManifest)
	}
	var format struct{ Format int }
	if err := json.Unmarshal(text, &format); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if format.Format != Format {
		return nil, fmt.Errorf("manifest: format %d; this program reads format %d", format.Format, Format)
	}
	m := &Manifest{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("manifest: something follows it")
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	sum := sha256.Sum256(text)
	m.Digest = hex.EncodeToString(sum[:])
	return m, nil
}

func (m *Manifest) check() error {
	if err := m.Info.check(); err != nil {
		return err
	}
	for name, sum := range m.Files {
		if !goodEntry(name) || name == manifestName {
			return fmt.Errorf("file %q: a package has no such file", name)
		}
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size {
			return fmt.Errorf("file %s: %q is no SHA-256", name, sum)
		}
	}
	return nil
}

func (i *Info) check() error {
	switch {
	case i.Version < 1 || i.Version > MaxVersion:
		return fmt.Errorf("version %d: 1 to %d", i.Version, MaxVersion)
	case i.Kind == Major && i.Base != i.Version:
		return fmt.Errorf("base %d: a major package is its own base", i.Base)
	case i.Kind == Minor && (i.Base < 1 || i.Base >= i.Version):
		return fmt.Errorf("base %d: a minor package is based on an earlier major one", i.Base)
	case i.Released.IsZero():
		return fmt.Errorf("no release date")
	}
	for what, text := range map[string]string{"protocol-bundle": i.ProtocolBundle.Version, "engine": i.Engine.Version,
		"micro-app-version": i.MicroApps, "custom-app-infra-version": i.CustomApps} {
		if !goodVersion(text) {
			return fmt.Errorf("%s %q: digits, letters, '.', '-' and '+' only", what, text)
		}
	}
	return nil
}

// goodVersion says whether a component's version can be shown as it is.
func goodVersion(text string) bool {
	return text != "" && len(text) <= 64 &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+") == ""
}

// Bytes is the manifest as it is written.
func (m *Manifest) Bytes() []byte {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("sigpack: a manifest can always be written: %v", err))
	}
	return append(text, '\n')
}
