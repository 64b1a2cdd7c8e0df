// Command sluice is an application-aware branch-office gateway and the shell that drives it; usage
// lists what it can be called for.
package main

import (
	"fmt"
	"os"

	"sluice/manage/api"
	"sluice/manage/shell"
)

const usage = `usage: sluice                      the operational shell; a script when stdin is no terminal
       sluice show …               one operational command
       sluice -c "COMMAND; …"      several
       sluice gateway --state DIR  the gateway, in the foreground
       sluice cleanup --state DIR  takes out of the kernel what a killed gateway left there
       sluice config check FILE…   checks statements without a gateway
       sluice classify --pcap FILE…
                                   which applications a capture carries, without a gateway
       sluice sigpack COMMAND …    signature packages and the feed that gateways take them from
       sluice version              the version of this program

The first three find the gateway by --socket, or SLUICE_SOCKET, or ` + api.DefaultSocket + `.
The others explain themselves with --help; in the shell, ? and help do.
`

// version is set when the program is linked.
var version = "development"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 {
		switch args[0] {
		case "gateway":
			return gatewayMain(args[1:])
		case "cleanup":
			return cleanupMain(args[1:])
		case "config":
			return configMain(args[1:])
		case "classify":
			return classifyMain(args[1:], os.Stdout, os.Stderr)
		case "sigpack":
			return sigpackMain(args[1:], os.Stdout, os.Stderr)
		case "-h", "-help", "--help":
			fmt.Print(usage)
			return 0
		case "version", "--version":
			fmt.Println("sluice", version)
			return 0
		}
	}
	return shell.Main(args, os.Stdin, os.Stdout, os.Stderr)
}
