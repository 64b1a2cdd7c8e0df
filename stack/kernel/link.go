package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// setLinks makes the VLANs, and sets MTU and up or down of every interface.
func (k *Kernel) setLinks(d *Desired) error {
	var errs []error
	for i := range d.Interfaces {
		if err := k.setLink(&d.Interfaces[i]); err != nil {
			errs = append(errs, fmt.Errorf("interface %s: %w", d.Interfaces[i].name(), err))
		}
	}
	return errors.Join(errs...)
}

func (k *Kernel) setLink(ifc *Interface) error {
	link, err := netlink.LinkByName(ifc.Device)
	if err != nil && ifc.Parent != "" {
		link, err = k.addVLAN(ifc)
	}
	if err != nil {
		return linkError(ifc.Device, err)
	}
	if now := link.Attrs().MTU; ifc.MTU != 0 && now != ifc.MTU {
		rec := k.state.link(ifc.Device)
		if rec.MTUBefore == 0 {
			rec.MTUBefore = now
		}
		rec.MTUSet, rec.MTUUntil = ifc.MTU, now
		if err := k.state.save(); err != nil {
			return err
		}
		if err := netlink.LinkSetMTU(link, ifc.MTU); err != nil {
			return fmt.Errorf("%s does not take MTU %d: %w", ifc.Device, ifc.MTU, err)
		}
	} else if ifc.MTU == 0 {
		if err := k.state.restoreMTU(link); err != nil {
			return err
		}
	}
	if up := link.Attrs().Flags&net.FlagUp != 0; up == ifc.Disabled {
		rec := k.state.link(ifc.Device)
		if !rec.UpChanged {
			rec.UpChanged, rec.UpBefore = true, up
		}
		if err := k.state.save(); err != nil {
			return err
		}
		if err := setUp(link, !ifc.Disabled); err != nil {
			return fmt.Errorf("cannot take %s up or down: %w", ifc.Device, err)
		}
	}
	return nil
}

// addVLAN makes the VLAN subinterface.
func (k *Kernel) addVLAN(ifc *Interface) (netlink.Link, error) {
	parent, err := netlink.LinkByName(ifc.Parent)
	if err != nil {
		return nil, linkError(ifc.Parent, err)
	}
	k.state.link(ifc.Device).Created = true
	if err := k.state.save(); err != nil {
		return nil, err
	}
	vlan := &netlink.Vlan{
		LinkAttrs: netlink.LinkAttrs{Name: ifc.Device, ParentIndex: parent.Attrs().Index},
		VlanId:    int(ifc.VLAN),
	}
	if err := netlink.LinkAdd(vlan); err != nil {
		k.state.forget(ifc.Device)
		if errors.Is(err, unix.EOPNOTSUPP) {
			return nil, fmt.Errorf("this kernel has no VLANs (802.1Q): load the module 8021q, or remove unit %d", ifc.VLAN)
		}
		return nil, fmt.Errorf("cannot create VLAN %d on %s: %w", ifc.VLAN, ifc.Parent, err)
	}
	return netlink.LinkByName(ifc.Device)
}

// dropLinks gives back the links that d no longer names.
func (k *Kernel) dropLinks(d *Desired) error {
	wanted := map[string]bool{}
	for _, ifc := range d.Interfaces {
		wanted[ifc.Device] = true
	}
	before := len(k.state.Links)
	if err := k.state.dropLinks(wanted); err != nil || len(k.state.Links) == before {
		return err
	}
	return k.state.save()
}

// dropLinks deletes the links we made, and gives MTU and up or down back to the others, but for
// those in keep. What failed stays recorded.
func (s *state) dropLinks(keep map[string]bool) error {
	var errs []error
	for _, rec := range slices.Clone(s.Links) {
		if keep[rec.Device] {
			continue
		}
		link, err := netlink.LinkByName(rec.Device)
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			s.forget(rec.Device)
			continue
		}
		switch {
		case err != nil:
		case rec.Created && link.Type() == "vlan":
			err = netlink.LinkDel(link)
		default:
			err = s.restoreMTU(link)
			if up := link.Attrs().Flags&net.FlagUp != 0; err == nil && rec.UpChanged && up != rec.UpBefore {
				err = setUp(link, rec.UpBefore)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot give back interface %s: %w", rec.Device, err))
			continue
		}
		s.forget(rec.Device)
	}
	return errors.Join(errs...)
}

// restoreMTU gives link the MTU that it had before us, unless somebody else changed it since.
func (s *state) restoreMTU(link netlink.Link) error {
	for i := range s.Links {
		rec := &s.Links[i]
		if rec.Device != link.Attrs().Name || rec.MTUBefore == 0 {
			continue
		}
		if now := link.Attrs().MTU; now == rec.MTUSet || now == rec.MTUUntil {
			if err := netlink.LinkSetMTU(link, rec.MTUBefore); err != nil {
				return fmt.Errorf("cannot restore MTU %d: %w", rec.MTUBefore, err)
			}
		}
		rec.MTUBefore, rec.MTUSet, rec.MTUUntil = 0, 0, 0
		return s.save()
	}
	return nil
}

// setAddresses adds the addresses that are missing, and removes those of ours that are no longer
// wanted. Removal comes first: taking the first address of an IPv4 subnet away may take others
// with it, which are then added again.
func (k *Kernel) setAddresses(d *Desired) error {
	wanted := map[addressRecord]bool{}
	for _, ifc := range d.Interfaces {
		for _, p := range ifc.Addresses {
			wanted[addressRecord{ifc.Device, p}] = true
		}
	}
	errs := []error{k.state.dropAddresses(wanted)}
	for _, ifc := range d.Interfaces {
		link, err := netlink.LinkByName(ifc.Device)
		if err != nil {
			continue // setLinks has told
		}
		if err := k.addAddresses(link, ifc.Addresses); err != nil {
			errs = append(errs, fmt.Errorf("interface %s: %w", ifc.name(), err))
		}
	}
	return errors.Join(errs...)
}

func (k *Kernel) addAddresses(link netlink.Link, want []netip.Prefix) error {
	have, err := addressesOf(link)
	if err != nil {
		return err
	}
	var missing []netip.Prefix
	for _, p := range want {
		if slices.Contains(have, p) {
			continue
		}
		missing = append(missing, p)
		rec := addressRecord{link.Attrs().Name, p}
		if !slices.Contains(k.state.Addresses, rec) {
			k.state.Addresses = append(k.state.Addresses, rec)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := k.state.save(); err != nil {
		return err
	}
	var errs []error
	for _, p := range missing {
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(p)}); err != nil && !errors.Is(err, unix.EEXIST) {
			errs = append(errs, fmt.Errorf("cannot add address %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// dropAddresses removes the addresses of ours but for those in keep. What failed stays recorded.
func (s *state) dropAddresses(keep map[addressRecord]bool) error {
	var errs []error
	var left []addressRecord
	for _, rec := range s.Addresses {
		if keep[rec] {
			left = append(left, rec)
			continue
		}
		link, err := netlink.LinkByName(rec.Device)
		if err != nil {
			continue // gone, and the address with it
		}
		err = netlink.AddrDel(link, &netlink.Addr{IPNet: ipNet(rec.Prefix)})
		if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			errs = append(errs, fmt.Errorf("cannot remove address %s from %s: %w", rec.Prefix, rec.Device, err))
			left = append(left, rec)
		}
	}
	if len(left) != len(s.Addresses) {
		s.Addresses = left
		errs = append(errs, s.save())
	}
	return errors.Join(errs...)
}

// addressesOf lists the addresses on link.
func addressesOf(link netlink.Link) ([]netip.Prefix, error) {
	list, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(link, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, err
	}
	var have []netip.Prefix
	for _, a := range list {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			bits, _ := a.Mask.Size()
			have = append(have, netip.PrefixFrom(addr.Unmap(), bits))
		}
	}
	return have, nil
}

// setUp takes link up or down.
func setUp(link netlink.Link, up bool) error {
	if up {
		return netlink.LinkSetUp(link)
	}
	return netlink.LinkSetDown(link)
}

// linkError says which device is missing.
func linkError(device string, err error) error {
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return fmt.Errorf("there is no Linux device %s", device)
	}
	return err
}

// ipNet is p as the netlink library wants it.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
