package route

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// subscribe asks the kernel for news of everything a way out depends on.
func subscribe() (*nl.NetlinkSocket, error) {
	return nl.Subscribe(unix.NETLINK_ROUTE,
		unix.RTNLGRP_LINK,
		unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
		unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
}

// watch voids the cache with every piece of news, until Close. When the kernel had to drop news
// because there were too many, that is news too.
func (t *Table) watch() {
	for {
		messages, _, err := t.news.Receive()
		if errors.Is(err, os.ErrClosed) || t.closed.Load() {
			return
		}
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			slog.Warn("lost news of routes and interfaces", "error", err)
			time.Sleep(time.Second) // an error that stays shall not keep the processor busy
		}
		stale := err != nil // what was lost may have been anything
		for _, m := range messages {
			switch m.Header.Type {
			case unix.RTM_NEWLINK, unix.RTM_DELLINK, unix.RTM_NEWADDR, unix.RTM_DELADDR:
				stale = true
			}
		}
		if stale {
			if err := t.loadDevices(); err != nil {
				slog.Warn("cannot follow the interfaces", "error", err)
			}
		}
		t.generation.Add(1)
	}
}
