package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"sluice/sigpack"
)

const sigpackUsage = `usage: sluice sigpack COMMAND …

Makes signature packages, and the feed that gateways take them from. A feed is a directory that any
web server can serve.

  keys FEED [--rotate ROLE]          makes a feed and the keys that sign it; or a new key of one role
  build --version N -o FILE          makes a package
  publish FEED PACKAGE…              adds packages to a feed
  publish FEED --version N           makes a package and adds it
  withdraw FEED VERSION              takes back a version that does not work
  refresh FEED                       renews the feed's word, which holds for two weeks
  serve FEED                         serves it over HTTP or HTTPS, and renews its word
  archive FEED VERSION -o FILE       writes a version for gateways without a network
  inspect [PACKAGE|DIR]              says what a package holds; that of this program when none is given
  validate DIR                       tries an unpacked package

keys, publish, withdraw, refresh and serve need the keys; they lie in FEED.keys unless --keys DIR
says otherwise. build and publish make a package of what this program carries, unless these say
otherwise:

  --version N          its version; larger than those before
  --minor BASE         a minor package, with the protocol bundle of the major version BASE
  --date TIME          when it is released, such as 2026-11-22T12:00:00Z; now
  --from DIR           files *.apps and *.names to make it of
  --input NAME=PATH    a public collection to import (--input help lists them); may be given often

serve:  --listen ADDRESS:PORT (:8080)   --cert FILE --key FILE (for HTTPS)
        --withdraw-after N  gateways that report a failure until a major version is withdrawn (3; 0: never)
withdraw:  --reason TEXT
`

// sigpackCommand is one command of sluice sigpack.
type sigpackCommand func(o *sigpackOptions, args []string) error

var sigpackCommands = map[string]sigpackCommand{
	"keys": sigpackKeys, "build": sigpackBuild, "publish": sigpackPublish, "withdraw": sigpackWithdraw,
	"refresh": sigpackRefresh, "serve": sigpackServe, "archive": sigpackArchive, "inspect": sigpackInspect,
}

// sigpackOptions are what flags say.
type sigpackOptions struct {
	keys, rotate, out, reason string
	listen, cert, key         string
	withdrawAfter             int
	build                     buildOptions

	stdout, stderr io.Writer
}

// errUsage says that a command was not understood.
var errUsage = errors.New("usage")

// sigpackMain is sluice sigpack.
func sigpackMain(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "validate" {
		return sigpackValidateMain(args[1:], stdout, stderr)
	}
	var command sigpackCommand
	if len(args) > 0 {
		command = sigpackCommands[args[0]]
	}
	if command == nil {
		fmt.Fprint(stderr, sigpackUsage)
		return 2
	}
	o := &sigpackOptions{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("sluice sigpack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, sigpackUsage) }
	flags.StringVar(&o.keys, "keys", "", "")
	flags.StringVar(&o.rotate, "rotate", "", "")
	flags.StringVar(&o.out, "o", "", "")
	flags.StringVar(&o.reason, "reason", "", "")
	flags.StringVar(&o.listen, "listen", ":8080", "")
	flags.StringVar(&o.cert, "cert", "", "")
	flags.StringVar(&o.key, "key", "", "")
	flags.IntVar(&o.withdrawAfter, "withdraw-after", 3, "")
	o.build.flags(flags)
	var words []string
	for rest := args[1:]; ; { // flags and words may stand in any order
		if err := flags.Parse(rest); err != nil {
			return 2
		}
		if rest = flags.Args(); len(rest) == 0 {
			break
		}
		words, rest = append(words, rest[0]), rest[1:]
	}
	switch err := command(o, words); {
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, sigpackUsage)
		return 2
	case err != nil:
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

// repository is the feed that a command is about.
func (o *sigpackOptions) repository(dir string) *sigpack.Repository {
	keys := o.keys
	if keys == "" {
		keys = dir + ".keys"
	}
	return &sigpack.Repository{Dir: dir, Keys: keys}
}

func sigpackKeys(o *sigpackOptions, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	r := o.repository(args[0])
	if o.rotate != "" {
		if err := r.Rotate(o.rotate); err != nil {
			return err
		}
		fmt.Fprintf(o.stdout, "The role %s has a new key. Gateways that trust the feed follow by themselves.\n", o.rotate)
		return nil
	}
	if err := sigpack.NewKeys(r.Keys); err != nil {
		return err
	}
	if err := r.Create(); err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "Feed %s is made. Its keys are in %s: whoever has them can make gateways believe anything.\n"+
		"Give gateways %s/metadata/1.root.json, by a way that you trust.\n", r.Dir, r.Keys, r.Dir)
	return nil
}

func sigpackBuild(o *sigpackOptions, args []string) error {
	if len(args) != 0 || o.out == "" {
		return errUsage
	}
	m, err := o.build.toFile(o.out, o.stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "%s: version %d (%s), %d applications\n", o.out, m.Version, m.Kind, m.Counts.Applications)
	return nil
}

func sigpackPublish(o *sigpackOptions, args []string) error {
	if len(args) == 0 || (o.build.version != 0) == (len(args) > 1) {
		return errUsage
	}
	packages := args[1:]
	if o.build.version != 0 {
		file, err := os.CreateTemp("", "sigpack-*.tar.gz")
		if err != nil {
			return err
		}
		file.Close()
		defer os.Remove(file.Name())
		if _, err := o.build.toFile(file.Name(), o.stderr); err != nil {
			return err
		}
		packages = []string{file.Name()}
	}
	r := o.repository(args[0])
	for _, file := range packages {
		m, err := r.Publish(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(o.stdout, "Version %d (%s) is published: %d applications.\n", m.Version, m.Kind, m.Counts.Applications)
	}
	return nil
}

// version reads the feed and the version that a command is about.
func (o *sigpackOptions) version(args []string) (*sigpack.Repository, int, error) {
	if len(args) != 2 {
		return nil, 0, errUsage
	}
	version, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, 0, fmt.Errorf("version %q: a number", args[1])
	}
	return o.repository(args[0]), version, nil
}

func sigpackWithdraw(o *sigpackOptions, args []string) error {
	r, version, err := o.version(args)
	if err != nil {
		return err
	}
	if err := r.Withdraw(version, o.reason); err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "Version %d is withdrawn.\n", version)
	return nil
}

func sigpackRefresh(o *sigpackOptions, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return o.repository(args[0]).Refresh()
}

func sigpackArchive(o *sigpackOptions, args []string) error {
	r, version, err := o.version(args)
	if err != nil {
		return err
	}
	if o.out == "" {
		return errUsage
	}
	f, err := os.Create(o.out)
	if err != nil {
		return err
	}
	if err := errors.Join(r.Archive(f, version), f.Close()); err != nil {
		os.Remove(o.out)
		return err
	}
	fmt.Fprintf(o.stdout, "%s: version %d; good until the feed says something newer\n", o.out, version)
	return nil
}
