package main

import (
	"errors"

	"sluice/proxy"
	"sluice/stack"
	"sluice/stack/egress"
	"sluice/stack/kernel"
	"sluice/store/schema"
)

// shape notes which links are shaped, and by which lanes packets go to their queues: those that rules
// ask for.
func (c *compiled) shape(cfg *schema.Config) {
	c.rates = make(map[string]uint64)
	for name, rate := range c.traffic.ShapedLinks() {
		if l := cfg.Logical(name); !l.Disabled {
			c.rates[l.Device] = rate
		}
	}
	if len(c.rates) == 0 {
		return
	}
	for _, place := range c.traffic.Places() {
		lane := proxy.LaneOf(place)
		c.kernel.Lanes = append(c.kernel.Lanes, kernel.Lane{TUN: kernel.LaneName(uint8(lane)), Class: lane.String()})
	}
}

// openLanes opens the TUNs of the lanes, closes those that are not wanted any more, and tells the
// sessions; d.mu is held.
func (d *datapath) openLanes() (opened bool, err error) {
	wanted := make(map[string]bool)
	for _, lane := range d.desired.Lanes {
		wanted[lane.TUN] = true
	}
	var errs []error
	lanes := new(proxy.Lanes)
	for number := range egress.Lane(len(lanes)) {
		name := kernel.LaneName(uint8(number))
		device := d.lanes[name]
		if !wanted[name] {
			continue
		}
		if device == nil {
			if device, err = stack.OpenDevice(stack.DeviceOptions{Name: name, Queues: 1, Plain: d.options.plain}); err != nil {
				errs = append(errs, err)
				continue
			}
			d.lanes[name], opened = device, true
		}
		lanes[number] = device.Queues()[0]
	}
	if len(wanted) == 0 {
		lanes = nil
	}
	d.sessions.SetLanes(lanes)
	for name, device := range d.lanes {
		if !wanted[name] {
			delete(d.lanes, name)
			errs = append(errs, device.Close())
		}
	}
	return opened, errors.Join(errs...)
}
