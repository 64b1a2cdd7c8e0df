package main

import (
	"context"
	"fmt"
	"io"

	"sluice/sigpack/install/validate"
)

const sigpackValidateUsage = `usage: sluice sigpack validate DIR

Says whether an unpacked signature package does its work: everything in it compiles, and sample
sessions are recognised with it. The exit code is 1 when it does not; the reason is printed.
`

// sigpackValidateMain is sluice sigpack validate. The gateway runs it as a process of its own before
// it puts a package in force.
func sigpackValidateMain(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprint(stderr, sigpackValidateUsage)
		return 2
	}
	if err := validate.Confine(); err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	if err := validate.Package(context.Background(), args[0]); err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s is valid\n", args[0])
	return 0
}
