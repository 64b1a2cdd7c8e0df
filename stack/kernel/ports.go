package kernel

import (
	"fmt"
	"strconv"
	"strings"
)

// Ports of source NAT, both included. They lie below those that the kernel gives to local
// sockets by default.
const (
	natPortLow  = 10000
	natPortHigh = 31999
)

// unitePorts adds low to high to a list of ports and ranges as the kernel prints it ("80,90-99"),
// and writes the union the same way: sorted, and joined where ranges touch.
func unitePorts(list string, low, high int) string {
	var set [1 << 16]bool
	add := func(low, high int) {
		for port := low; port <= high && port < len(set); port++ {
			set[port] = true
		}
	}
	add(low, high)
	for _, item := range strings.Split(list, ",") {
		from, to, ranged := strings.Cut(item, "-")
		if !ranged {
			to = from
		}
		l, err1 := strconv.Atoi(from)
		h, err2 := strconv.Atoi(to)
		if err1 == nil && err2 == nil && l >= 0 {
			add(l, h)
		}
	}
	var out []string
	for port := 0; port < len(set); port++ {
		if !set[port] {
			continue
		}
		first := port
		for port+1 < len(set) && set[port+1] {
			port++
		}
		if first == port {
			out = append(out, strconv.Itoa(port))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", first, port))
		}
	}
	return strings.Join(out, ",")
}
