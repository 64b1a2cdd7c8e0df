// Package sigpack is the signature package: how it is written, signed, offered and verified.
//
// A package is a gzipped tar archive:
//
//	manifest.json    what the package is, and the SHA-256 of every other file
//	apps/*.apps      applications and groups, in the format of package appdb
//	names/*.names    the names that other engines use
//
// The same input makes the same bytes. A repository of The Update Framework (TUF) signs the
// packages of a feed: it says which versions there are, of which kind, which were withdrawn, and
// which bytes they have. A gateway begins with the root of that repository that its operator gave
// it, and trusts nothing else: neither the server, nor the path to it, nor a package by itself.
//
// The life of a package is the order of the files: manifest.go, package.go, build.go, unpack.go
// and check.go for the package; keys.go, repository.go and server.go for who offers it; trust.go,
// client.go and archive.go for who takes it.
package sigpack

import "errors"

// Reasons for which a package or a feed is refused. errors.Is finds them in what the functions of
// this package return.
var (
	// ErrUnavailable: the feed does not offer this version, or has withdrawn it.
	ErrUnavailable = errors.New("the requested package is not available")
	// ErrChecksum: files are not those that were signed, or were changed since.
	ErrChecksum = errors.New("checksum does not match")
	// ErrSignature: what should be signed is not signed by who should have.
	ErrSignature = errors.New("signature is not valid")
	// ErrRollback: the feed shows something older than what it has shown before.
	ErrRollback = errors.New("older than what has been seen before")
	// ErrExpired: the feed's word is too old to be believed.
	ErrExpired = errors.New("signed too long ago")
	// ErrManifest: the package is not what its manifest, or the feed, says that it is.
	ErrManifest = errors.New("manifest is not true")
	// ErrHostile: the archive is not one that Build makes: an entry that leads elsewhere, more or
	// larger files than a package has.
	ErrHostile = errors.New("not a package")
)
