package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"sluice/appid"
	"sluice/appqos"
	"sluice/policy"
	"sluice/store"
	"sluice/store/schema"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/track"
)

const configUsage = `usage: sluice config check [--commit] FILE…

Reads statements, a line each, into a scratch candidate; no gateway is needed. Prints each line
that is refused with its reason, then how many were accepted and refused. --commit runs the checks
of a commit too, and prints what it would warn of. - stands for stdin. The exit code is 1 when a
line was refused.
`

// configMain is sluice config.
func configMain(args []string) int {
	if len(args) > 0 && args[0] == "check" {
		return checkMain(args[1:], os.Stdin, os.Stdout, os.Stderr)
	}
	fmt.Fprint(os.Stderr, configUsage)
	return 2
}

// checkMain is sluice config check.
func checkMain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sluice config check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, configUsage) }
	commit := flags.Bool("commit", false, "run the checks of a commit too")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() == 0 {
		fmt.Fprint(stderr, configUsage)
		return 2
	}
	tracker := track.New(track.Options{})
	defer tracker.Close(context.Background())
	policies := policy.NewState()
	defer policies.Close()
	apps, err := appid.New(appid.Options{})
	if err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 2
	}
	accepted, refused := 0, 0
	for _, name := range flags.Args() {
		report, err := checkFile(name, stdin, *commit, apps, sslCheck{}, policyCheck{policies, apps}, logEngine{tracker})
		if err != nil {
			fmt.Fprintf(stderr, "error: %v\n", err)
			return 2
		}
		for _, r := range report.Refused {
			fmt.Fprintln(stdout, r)
		}
		for _, w := range report.Warned {
			fmt.Fprintln(stdout, "warning:", w)
		}
		accepted, refused = accepted+report.Accepted, refused+len(report.Refused)
	}
	fmt.Fprintf(stdout, "%d accepted, %d refused\n", accepted, refused)
	if refused > 0 {
		return 1
	}
	return 0
}

// checkFile checks the statements of one file.
func checkFile(name string, stdin io.Reader, commit bool, engines ...store.Engine) (store.Report, error) {
	if name == "-" {
		return store.Check(stdin, "stdin", commit, engines...), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return store.Report{}, err
	}
	defer f.Close()
	return store.Check(f, name, commit, engines...), nil
}

// policyCheck compiles policies, traffic control and what the kernel would be asked for, and puts nothing in force.
type policyCheck struct {
	state *policy.State
	apps  *appid.Service
}

// Name names the engine in logs.
func (policyCheck) Name() string { return "policy" }

// Prepare says what is wrong with cfg.
func (p policyCheck) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	_, problems := compileDatapath(cfg, p.state, appqos.NewState(), p.apps)
	return nil, problems
}

// sslCheck compiles SSL profiles, without looking for certificates: they are in the gateway.
type sslCheck struct{}

// Name names the engine in logs.
func (sslCheck) Name() string { return "ssl" }

// Prepare says what is wrong with cfg.
func (sslCheck) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	_, problems := profile.Compile(cfg, nil, profile.Environment{Supports: supportsSuite})
	return nil, append(problems, report.CheckTrace(&cfg.Services.SSL.TraceOptions)...)
}
