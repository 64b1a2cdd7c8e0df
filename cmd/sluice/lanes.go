package main

import (
	"errors"
	"slices"

	"sluice/proxy"
	"sluice/stack"
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
		c.kernel.Lanes = append(c.kernel.Lanes, kernel.Lane{Number: uint8(lane), TUN: kernel.LaneName(uint8(lane)), Class: lane.String()})
	}
}

// closeLanes lets no packet take a lane that is not desired any more, and closes it; d.mu is held.
func (d *datapath) closeLanes() {
	var left []*stack.Device
	for name, device := range d.lanes {
		if !slices.ContainsFunc(d.desired.Lanes, func(l kernel.Lane) bool { return l.TUN == name }) {
			delete(d.lanes, name)
			left = append(left, device)
		}
	}
	if len(left) == 0 {
		return
	}
	d.useLanes()
	for _, device := range left {
		if err := device.Close(); err != nil {
			d.logger.Warn("closing a lane", "device", device.Name(), "err", err)
		}
	}
}

// openLanes opens the lanes that are not open yet; d.mu is held.
func (d *datapath) openLanes() (opened bool) {
	var errs []error
	for _, lane := range d.desired.Lanes {
		if d.lanes[lane.TUN] != nil {
			continue
		}
		device, err := stack.OpenDevice(stack.DeviceOptions{Name: lane.TUN, Queues: 1, Plain: d.options.plain})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.lanes[lane.TUN], opened = device, true
	}
	d.setAlarm("class-of-service lanes", errors.Join(errs...))
	return opened
}

// useLanes lets packets take the lanes that are open, which the kernel knows; d.mu is held.
func (d *datapath) useLanes() {
	if len(d.lanes) == 0 {
		d.sessions.SetLanes(nil)
		return
	}
	lanes := new(proxy.Lanes)
	for _, lane := range d.desired.Lanes {
		if device := d.lanes[lane.TUN]; device != nil {
			lanes[lane.Number] = device.Queues()[0]
		}
	}
	d.sessions.SetLanes(lanes)
}
