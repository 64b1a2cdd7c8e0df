package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// state is what the gateway changed and cannot mark in the kernel. It is written before the
// kernel is touched, so that no crash loses it.
type state struct {
	path string

	World     string          `json:"world"`     // boot and network namespace this is about
	Sysctls   []sysctlRecord  `json:"sysctls"`   // in the order they were set
	Links     []linkRecord    `json:"links"`     // links created or changed
	Addresses []addressRecord `json:"addresses"` // addresses added
}

// sysctlRecord is one changed sysctl; Name is its path below /proc/sys.
type sysctlRecord struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	Set    string `json:"set"`
}

// linkRecord is one created or changed link.
type linkRecord struct {
	Device    string `json:"device"`
	Created   bool   `json:"created,omitempty"`
	MTUBefore int    `json:"mtu_before,omitempty"` // 0: not changed
	MTUSet    int    `json:"mtu_set,omitempty"`
	MTUUntil  int    `json:"mtu_until,omitempty"` // what it was until it became MTUSet, which a crash may have prevented
	UpChanged bool   `json:"up_changed,omitempty"`
	UpBefore  bool   `json:"up_before,omitempty"`
}

// addressRecord is one added address.
type addressRecord struct {
	Device string       `json:"device"`
	Prefix netip.Prefix `json:"prefix"`
}

// openState reads the record in dir. One of another boot or another network namespace is
// forgotten, as what it tells of is gone.
func openState(dir string) (*state, error) {
	world, err := thisWorld()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "kernel.json")
	s := &state{path: path, World: world}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read what was changed in the kernel: %w", err)
	}
	old := &state{path: path}
	if err := json.Unmarshal(text, old); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): restart the machine and remove it", path, err)
	}
	if old.World != world {
		return s, nil
	}
	return old, nil
}

// save writes the record; a reader sees the old or the new one.
func (s *state) save() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := s.path + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("cannot record what is changed in the kernel: %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return fmt.Errorf("cannot record what is changed in the kernel: %w", err)
	}
	return nil
}

// remove ends the record when nothing is left in it; otherwise what is left stays recorded.
func (s *state) remove() error {
	if len(s.Sysctls)+len(s.Links)+len(s.Addresses) > 0 {
		return s.save()
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// link is the record of device, made when there is none.
func (s *state) link(device string) *linkRecord {
	for i := range s.Links {
		if s.Links[i].Device == device {
			return &s.Links[i]
		}
	}
	s.Links = append(s.Links, linkRecord{Device: device})
	return &s.Links[len(s.Links)-1]
}

// forget removes the record of device.
func (s *state) forget(device string) {
	s.Links = slices.DeleteFunc(s.Links, func(l linkRecord) bool { return l.Device == device })
}

// thisWorld names the running kernel and the network namespace of this thread.
func thisWorld() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	info, err := os.Stat("/proc/thread-self/ns/net")
	if err != nil {
		return "", err
	}
	inode := info.Sys().(*syscall.Stat_t).Ino
	return fmt.Sprintf("%s/%d", strings.TrimSpace(string(boot)), inode), nil
}
