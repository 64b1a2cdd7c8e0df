// Command labhost is what the machines of the lab run: small servers and clients that Debian
// does not have.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"syscall"
)

// commands are the programs inside this one.
var commands = []struct {
	name string
	help string
	run  func(args []string) error
}{
	{"dns", "answer DNS queries for given names over UDP and TCP", runDNS},
	{"echo", "TCP and UDP servers that echo, count, reset, stay silent or tell who asks", runEcho},
	{"ping", "send one byte over TCP again and again; print the round trip times", runPing},
	{"flood", "send SYNs from many source addresses", runFlood},
	{"idle", "open many TCP connections and hold them", runIdle},
	{"blast", "send UDP packets at a rate", runBlast},
	{"sink", "receive UDP packets and count what is missing", runSink},
	{"sessions", "open UDP sessions at a rate", runSessions},
	{"collect", "print syslog messages that arrive over UDP and TCP", runCollect},
	{"drain", "take syslog messages over UDP and TCP and throw them away unread", runDrain},
	{"tls", "measure HTTPS: downloads, first connections, idle ones", runTLS},
	{"sockets", "serve WebSockets over HTTP/2", runSockets},
	{"origin", "serve HTTPS under many names", runOrigin},
}

// openFiles is how many descriptors a server or client may hold.
const openFiles = 1 << 18

func main() {
	// Tens of thousands of connections are more than the usual limit; root may raise it. Where it
	// stays lower, opening fails and says so.
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: openFiles, Max: openFiles})
	if len(os.Args) > 1 {
		for _, c := range commands {
			if c.name == os.Args[1] {
				if err := c.run(os.Args[2:]); err != nil {
					if errors.Is(err, flag.ErrHelp) {
						os.Exit(2)
					}
					fmt.Fprintf(os.Stderr, "labhost %s: %v\n", c.name, err)
					os.Exit(1)
				}
				return
			}
		}
	}
	fmt.Fprintln(os.Stderr, "usage: labhost COMMAND [FLAGS]")
	for _, c := range commands {
		fmt.Fprintf(os.Stderr, "  %-8s %s\n", c.name, c.help)
	}
	os.Exit(2)
}
