package pki

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Names of files.
const (
	suffix    = ".pem"
	temporary = ".new"
)

// Types of PEM blocks that the store writes.
const (
	blockKey         = "PRIVATE KEY"
	blockCertificate = "CERTIFICATE"
	blockRequest     = "CERTIFICATE REQUEST"
)

// A file is PEM blocks with a line before each part that says what follows and since when:
//
//	certificate 2026-11-22T23:40:00Z
//	-----BEGIN CERTIFICATE-----
//
// A key pair, its certificate, chain and request are one file, so that they change together.

// encodeLocal writes l as its file.
func encodeLocal(l *Local) ([]byte, error) {
	var b bytes.Buffer
	key, err := x509.MarshalPKCS8PrivateKey(l.Key)
	if err != nil {
		return nil, fmt.Errorf("the key pair %s cannot be encoded: it is of the type %T", l.ID, l.Key)
	}
	writePart(&b, "key", l.KeyModified, blockKey, key)
	if l.Request != nil {
		writePart(&b, "request", time.Time{}, blockRequest, l.Request.Raw)
	}
	if l.Certificate != nil {
		writePart(&b, "certificate", l.CertificateModified, blockCertificate, l.Certificate.Raw)
		for _, c := range l.Chain {
			writePart(&b, "chain", time.Time{}, blockCertificate, c.Raw)
		}
	}
	return b.Bytes(), nil
}

// decodeLocal reads the file of a key pair.
func decodeLocal(id string, data []byte) (*Local, error) {
	l := &Local{ID: id}
	for part, err := range parts(data) {
		if err != nil {
			return nil, err
		}
		switch part.label {
		case "key":
			l.Key, err = parsePlainKey(part.der)
			l.KeyModified = part.time
		case "request":
			l.Request, err = x509.ParseCertificateRequest(part.der)
		case "certificate":
			l.Certificate, err = x509.ParseCertificate(part.der)
			l.CertificateModified = part.time
		case "chain":
			var c *x509.Certificate
			c, err = x509.ParseCertificate(part.der)
			l.Chain = append(l.Chain, c)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.label, err)
		}
	}
	if l.Key == nil {
		return nil, errors.New("it has no key")
	}
	if l.Certificate != nil && !equalKeys(l.Key.Public(), l.Certificate.PublicKey) {
		return nil, errors.New("its key and its certificate do not belong together")
	}
	return l, nil
}

// encodeProfile writes the certificate of a CA profile as its file.
func encodeProfile(c *CA) []byte {
	var b bytes.Buffer
	writePart(&b, "certificate", c.Modified, blockCertificate, c.Certificate.Raw)
	return b.Bytes()
}

// decodeProfile reads the file of a CA profile.
func decodeProfile(name string, data []byte) (*CA, error) {
	for part, err := range parts(data) {
		if err != nil {
			return nil, err
		}
		c, err := x509.ParseCertificate(part.der)
		if err != nil {
			return nil, err
		}
		return &CA{Name: name, Certificate: c, Modified: part.time}, nil
	}
	return nil, errors.New("it has no certificate")
}

// encodeGroup writes a group as its file.
func encodeGroup(g *group) []byte {
	var b bytes.Buffer
	if g.source != "" {
		fmt.Fprintf(&b, "source %s\n", g.source)
	}
	for _, c := range g.members {
		writePart(&b, "certificate", c.Modified, blockCertificate, c.Certificate.Raw)
	}
	return b.Bytes()
}

// decodeGroup reads the file of a group.
func decodeGroup(name string, data []byte) (*group, error) {
	g := &group{name: name}
	if first, _, _ := strings.Cut(string(data[:min(len(data), 200)]), "\n"); strings.HasPrefix(first, "source ") {
		g.source = strings.TrimPrefix(first, "source ")
	}
	for part, err := range parts(data) {
		if err != nil {
			return nil, err
		}
		c, err := x509.ParseCertificate(part.der)
		if err != nil {
			return nil, err
		}
		g.add(c, part.time)
	}
	if len(g.members) == 0 {
		return nil, errors.New("it has no certificate")
	}
	return g, nil
}

// part is one block of a file, with the line before it.
type part struct {
	label string
	time  time.Time
	der   []byte
}

func writePart(b *bytes.Buffer, label string, t time.Time, kind string, der []byte) {
	b.WriteString(label)
	if !t.IsZero() {
		b.WriteString(" " + t.UTC().Format(time.RFC3339))
	}
	b.WriteByte('\n')
	_ = pem.Encode(b, &pem.Block{Type: kind, Bytes: der}) // a buffer takes everything
}

// parts are the blocks of a file in order.
func parts(data []byte) func(yield func(part, error) bool) {
	return func(yield func(part, error) bool) {
		lines := bufio.NewScanner(bytes.NewReader(data))
		var p part
		var block []byte
		for lines.Scan() {
			line := lines.Text()
			switch {
			case strings.HasPrefix(line, "-----BEGIN "):
				block = append([]byte(line), '\n')
			case block != nil:
				block = append(append(block, line...), '\n')
				if !strings.HasPrefix(line, "-----END ") {
					continue
				}
				decoded, _ := pem.Decode(block)
				if decoded == nil {
					yield(p, errors.New("a block of it is not PEM"))
					return
				}
				p.der = decoded.Bytes
				if !yield(p, nil) {
					return
				}
				p, block = part{}, nil
			default:
				label, when, _ := strings.Cut(line, " ")
				p = part{label: label}
				p.time, _ = time.Parse(time.RFC3339, when) // a part without a time was never dated
			}
		}
		if err := lines.Err(); err != nil {
			yield(p, err)
		} else if block != nil {
			yield(p, errors.New("its last block has no end"))
		}
	}
}

// readFolder decodes every file of a folder into a map. What was being written when the gateway died
// is removed; what others may read is closed to them.
func readFolder[T any](s *Store, folder string, into map[string]*T, decode func(name string, data []byte) (*T, error)) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, folder))
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(s.dir, folder, e.Name())
		name, ours := strings.CutSuffix(e.Name(), suffix)
		switch {
		case strings.HasSuffix(e.Name(), temporary):
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		case !ours || !e.Type().IsRegular() || CheckName(name) != nil:
			s.faults[filepath.Join(folder, e.Name())] = errors.New("the gateway did not make this file")
			continue
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if into[name], err = decode(name, data); err != nil {
			delete(into, name)
			s.faults[filepath.Join(folder, e.Name())] = err
		}
	}
	return nil
}

// write replaces a file whole, so that a crash leaves the old one or the new one.
func (s *Store) write(folder, name string, data []byte) (err error) {
	path := filepath.Join(s.dir, folder, name+suffix)
	file, err := os.OpenFile(path+temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("certificate store: %w", err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(path+temporary, path)
	}
	if err != nil {
		os.Remove(path + temporary)
		return fmt.Errorf("certificate store: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// remove deletes a file for good.
func (s *Store) remove(folder, name string) error {
	path := filepath.Join(s.dir, folder, name+suffix)
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("certificate store: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes what was renamed or removed in a folder last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return fmt.Errorf("certificate store: %w", err)
	}
	return nil
}
