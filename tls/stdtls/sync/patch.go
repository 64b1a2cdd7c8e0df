package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// git runs git in a directory that is no part of another repository.
func git(dir string, args ...string) ([]byte, error) {
	command := exec.Command("git", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=sync", "GIT_AUTHOR_EMAIL=sync@localhost", "GIT_COMMITTER_NAME=sync", "GIT_COMMITTER_EMAIL=sync@localhost")
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}

// patches lists the patch files of a directory in the order in which they are applied.
func patches(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	slices.Sort(names)
	return names, err
}

// patched returns the files with the patches applied, or, in reverse, taken back.
func patched(source files, list []string, reverse bool) (files, error) {
	dir, err := os.MkdirTemp("", "stdtls")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := source.write(dir); err != nil {
		return nil, err
	}
	args := []string{"apply", "--whitespace=nowarn"}
	if reverse {
		args = append(args, "--reverse")
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	for _, patch := range list {
		path, err := filepath.Abs(patch)
		if err != nil {
			return nil, err
		}
		if _, err := git(dir, append(slices.Clone(args), path)...); err != nil {
			return nil, err
		}
	}
	return readFiles(dir, source.names())
}

// stage lays the source and the patches out in dir as a git repository, a commit for each step.
func stage(dir string, source files, version string, list []string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := source.write(dir); err != nil {
		return err
	}
	commit := func(message string) error {
		if _, err := git(dir, "add", "-A"); err != nil {
			return err
		}
		_, err := git(dir, "commit", "-q", "-m", message)
		return err
	}
	if _, err := git(dir, "init", "-q"); err != nil {
		return err
	}
	if err := commit(version); err != nil {
		return err
	}
	for _, patch := range list {
		text, err := os.ReadFile(patch)
		if err != nil {
			return err
		}
		message, _, _ := strings.Cut(string(text), "---\n")
		path, err := filepath.Abs(patch)
		if err != nil {
			return err
		}
		// What does not fit is left in *.rej files, to be put right by hand.
		if _, err := git(dir, "apply", "--whitespace=nowarn", "--reject", path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		if err := commit(message); err != nil {
			return err
		}
	}
	return nil
}

// record writes the commits of a staged repository, but the first, as patches.
func record(staged, dir string) error {
	old, err := patches(dir)
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	out, err := git(staged, "rev-list", "--reverse", "HEAD")
	if err != nil {
		return err
	}
	commits := strings.Fields(string(out))
	for i := 1; i < len(commits); i++ {
		message, err := git(staged, "show", "-s", "--format=%B", commits[i])
		if err != nil {
			return err
		}
		diff, err := git(staged, "diff", "--no-color", "--no-ext-diff", "--no-renames", commits[i-1], commits[i])
		if err != nil {
			return err
		}
		text := fmt.Appendf(nil, "%s\n---\n", bytes.TrimSpace(message))
		for line := range bytes.Lines(diff) {
			if !bytes.HasPrefix(line, []byte("index ")) {
				text = append(text, line...)
			}
		}
		title, _, _ := strings.Cut(string(message), "\n")
		slug := strings.Join(strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9')
		}), "-")
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d-%s.patch", i, slug)), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
