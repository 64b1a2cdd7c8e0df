package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// setting is one sysctl and the value it shall have. A passing one belongs to a device that goes
// with the gateway and is not recorded.
type setting struct {
	name, value string
	passing     bool
}

// setSysctls gives every sysctl its value, first recording what it was, and restores those that
// are no longer wanted.
func (k *Kernel) setSysctls(d *Desired) error {
	want, err := k.settings(d)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	news := false
	for _, s := range want {
		keep[s.name] = true
		if now := readSysctl(s.name); now != s.value && !s.passing && sysctlExists(s.name) {
			k.state.recordSysctl(s.name, now, s.value)
			news = true
		}
	}
	if news {
		if err := k.state.save(); err != nil {
			return err
		}
	}
	var errs []error
	for _, s := range want {
		// Read again: writing "all" or "default" changes the devices too.
		if readSysctl(s.name) != s.value && sysctlExists(s.name) {
			errs = append(errs, writeSysctl(s.name, s.value))
		}
	}
	before := len(k.state.Sysctls)
	errs = append(errs, k.state.restoreSysctls(keep))
	if len(k.state.Sysctls) != before {
		errs = append(errs, k.state.save())
	}
	return errors.Join(errs...)
}

// settings lists the sysctls that d needs, in the order they are to be set: forwarding comes
// after all that keeps packets from going astray.
func (k *Kernel) settings(d *Desired) ([]setting, error) {
	zoned := d.zoned()
	if len(zoned) == 0 {
		return nil, nil
	}
	var list []setting
	add := func(name, value string) { list = append(list, setting{name: name, value: value}) }

	tuns := map[string]bool{}
	for _, tun := range d.tuns() {
		tuns[tun] = true
	}
	list = append(list, k.reversePath(tuns)...)
	for tun := range tuns {
		list = append(list, tunSettings(tun)...)
	}

	// A packet that early demultiplexing gives to the upstream socket of its own session is not
	// forwarded to the client, and packets in transit are spared the look-up.
	add("net/ipv4/ip_early_demux", "0")
	add("net/ipv4/conf/all/send_redirects", "0")
	add("net/ipv4/conf/all/accept_redirects", "0")
	for _, ifc := range zoned {
		v4, v6 := "net/ipv4/conf/"+ifc.Device, "net/ipv6/conf/"+ifc.Device
		add(v4+"/send_redirects", "0")
		add(v4+"/accept_redirects", "0")
		add(v4+"/promote_secondaries", "1") // removing an address leaves the others of its subnet
		add(v6+"/accept_redirects", "0")
	}
	if d.translates() {
		add("net/ipv4/ip_local_reserved_ports", k.reservedPorts())
	}
	advertised, err := k.advertisedDevices()
	if err != nil {
		return nil, err
	}
	for _, device := range advertised {
		// A router forgets what it learned from other routers, unless told otherwise.
		add("net/ipv6/conf/"+device+"/accept_ra", "2")
	}
	add("net/ipv4/ip_forward", "1")
	add("net/ipv6/conf/all/forwarding", "1")
	for _, ifc := range zoned {
		add("net/ipv4/conf/"+ifc.Device+"/forwarding", "1")
		add("net/ipv6/conf/"+ifc.Device+"/forwarding", "1")
	}
	for tun := range tuns {
		list = append(list,
			setting{"net/ipv4/conf/" + tun + "/forwarding", "1", true},
			setting{"net/ipv6/conf/" + tun + "/forwarding", "1", true})
	}
	return list, nil
}

// tunSettings let a TUN carry packets whose source is anywhere, the gateway's own addresses
// included, and keep the kernel from talking on it.
func tunSettings(tun string) []setting {
	v4, v6 := "net/ipv4/conf/"+tun, "net/ipv6/conf/"+tun
	return []setting{
		{v4 + "/rp_filter", "0", true},
		{v4 + "/accept_local", "1", true},
		{v4 + "/send_redirects", "0", true},
		{v4 + "/accept_redirects", "0", true},
		{v6 + "/accept_redirects", "0", true},
		{v6 + "/accept_ra", "0", true},
		{v6 + "/router_solicitations", "0", true},
		{v6 + "/addr_gen_mode", "1", true}, // no link-local address
	}
}

// reversePath takes the reverse path filter off the TUNs. The filter of a device is the greater
// of its own value and that of "all"; so "all" becomes 0, and every other device gets what it
// had in effect.
func (k *Kernel) reversePath(tuns map[string]bool) []setting {
	const dir = "net/ipv4/conf"
	value := func(device string) int {
		name := dir + "/" + device + "/rp_filter"
		n, _ := strconv.Atoi(k.state.sysctlBefore(name, readSysctl(name)))
		return n
	}
	all := value("all")
	if all == 0 {
		return nil
	}
	var list []setting
	devices, _ := os.ReadDir("/proc/sys/" + dir)
	for _, entry := range devices {
		device := entry.Name()
		if device == "all" || tuns[device] {
			continue
		}
		list = append(list, setting{name: dir + "/" + device + "/rp_filter", value: strconv.Itoa(max(all, value(device)))})
	}
	return append(list, setting{name: dir + "/all/rp_filter", value: "0"})
}

// reservedPorts keeps the kernel from giving the ports of source NAT to local sockets.
func (k *Kernel) reservedPorts() string {
	const name = "net/ipv4/ip_local_reserved_ports"
	before := k.state.sysctlBefore(name, readSysctl(name))
	return unitePorts(before, natPortLow, natPortHigh)
}

// advertisedDevices are the devices that have, or had when forwarding began, a route learned from
// router advertisements.
func (k *Kernel) advertisedDevices() ([]string, error) {
	if !sysctlExists("net/ipv6/conf/all/forwarding") {
		return nil, nil
	}
	var devices []string
	for _, r := range k.state.Sysctls {
		if device, file := filepath.Split(strings.TrimPrefix(r.Name, "net/ipv6/conf/")); file == "accept_ra" {
			devices = append(devices, filepath.Clean(device))
		}
	}
	routes, err := dump(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(netlink.FAMILY_V6, &netlink.Route{Protocol: unix.RTPROT_RA}, netlink.RT_FILTER_PROTOCOL)
	})
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		link, err := netlink.LinkByIndex(r.LinkIndex)
		if err == nil && !slices.Contains(devices, link.Attrs().Name) {
			devices = append(devices, link.Attrs().Name)
		}
	}
	return devices, nil
}

// forwardedBefore says which families the host forwarded before the gateway switched it on.
func (s *state) forwardedBefore() (v4, v6 bool) {
	forwarded := func(name string) bool { return s.sysctlBefore(name, readSysctl(name)) == "1" }
	return forwarded("net/ipv4/ip_forward"), forwarded("net/ipv6/conf/all/forwarding")
}

// recordSysctl notes what name was before us; the first value stands.
func (s *state) recordSysctl(name, before, set string) {
	for i := range s.Sysctls {
		if s.Sysctls[i].Name == name {
			s.Sysctls[i].Set = set
			return
		}
	}
	s.Sysctls = append(s.Sysctls, sysctlRecord{name, before, set})
}

// sysctlBefore is what name was before us: as recorded, or as it is now.
func (s *state) sysctlBefore(name, now string) string {
	for _, r := range s.Sysctls {
		if r.Name == name {
			return r.Before
		}
	}
	return now
}

// restoreSysctls gives back, last set first, the sysctls not in keep. One that is no longer what
// we set was changed by somebody else, and stays. What failed stays recorded.
func (s *state) restoreSysctls(keep map[string]bool) error {
	var errs []error
	var left []sysctlRecord
	for _, r := range slices.Backward(s.Sysctls) {
		if keep[r.Name] {
			left = append(left, r)
			continue
		}
		if !sysctlExists(r.Name) || readSysctl(r.Name) != r.Set {
			continue
		}
		if err := writeSysctl(r.Name, r.Before); err != nil {
			errs = append(errs, err)
			left = append(left, r)
		}
	}
	slices.Reverse(left)
	s.Sysctls = left
	return errors.Join(errs...)
}

// readSysctl is the value of name, "" when there is none.
func readSysctl(name string) string {
	text, _ := os.ReadFile(filepath.Join("/proc/sys", name))
	return strings.TrimSpace(string(text))
}

// sysctlExists says whether this kernel, and this moment, has name.
func sysctlExists(name string) bool {
	_, err := os.Stat(filepath.Join("/proc/sys", name))
	return err == nil
}

func writeSysctl(name, value string) error {
	err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value+"\n"), 0o644)
	if err != nil {
		return fmt.Errorf("cannot set %s to %q: %w", strings.ReplaceAll(name, "/", "."), value, err)
	}
	return nil
}
