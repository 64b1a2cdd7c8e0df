// Command sluice is an application-aware branch-office gateway and the shell that drives it.
//
//	sluice                              the operational shell
//	sluice show … | sluice -c "…; …"    operational commands without a terminal
//	sluice gateway --state DIR          the gateway, in the foreground
//	sluice cleanup --state DIR          takes out of the kernel what a killed gateway left there
//	sluice config check FILE…           checks statements without a gateway
//	sluice classify --pcap FILE…        which applications a capture carries, without a gateway
//	sluice sigpack COMMAND …            signature packages and the feed that gateways take them from
//	sluice version                      the version of this program
package main

import (
	"fmt"
	"os"

	"sluice/manage/shell"
)

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
		case "version", "--version":
			fmt.Println("sluice", version)
			return 0
		}
	}
	return shell.Main(args, os.Stdin, os.Stdout, os.Stderr)
}
