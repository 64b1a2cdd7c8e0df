package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Impairment is what one direction of a WAN link does to packets. The zero value does nothing.
type Impairment struct {
	Delay  time.Duration // added to every packet, to about a millisecond
	Jitter time.Duration // up to this much more, at random; packets stay in order
	Loss   float64       // part of the packets that vanish, 0..1
	Rate   int64         // bits a second, 0 for as fast as possible
	Queue  int           // bytes that wait for their turn at Rate before packets are dropped; 0 means 256 KiB
}

// defaultQueue is Impairment.Queue where none is given: a tenth of a second at 20 Mbit/s.
const defaultQueue = 256 << 10

// LinkStats counts what one direction of a link did.
type LinkStats struct {
	Packets, Bytes uint64 // passed on
	Lost           uint64 // vanished because of Loss
	Overflown      uint64 // dropped because the queue at Rate was full
}

// Link is one WAN link between gateway and internet.
type Link struct {
	host *Host // namespace of the relay; nil for a link that cannot be impaired
	out  *direction
	in   *direction
	ends [2]*packetSocket
	done sync.WaitGroup
}

// direction is the relay's work one way.
type direction struct {
	impairment atomic.Pointer[Impairment]
	packets    atomic.Uint64
	bytes      atomic.Uint64
	lost       atomic.Uint64
	overflown  atomic.Uint64
}

// Set impairs both directions from the next packet on: out from the gateway to the internet, in
// back from it.
func (l *Link) Set(out, in Impairment) error {
	if l.host == nil {
		return errors.New("this link has no relay: make the lab with Options.Impair")
	}
	for _, i := range []Impairment{out, in} {
		if i.Loss < 0 || i.Loss > 1 || i.Delay < 0 || i.Jitter < 0 || i.Rate < 0 || i.Queue < 0 {
			return fmt.Errorf("impairment %+v is out of range", i)
		}
	}
	l.out.impairment.Store(&out)
	l.in.impairment.Store(&in)
	return nil
}

// Stats returns what happened so far, out from the gateway and in to it.
func (l *Link) Stats() (out, in LinkStats) {
	if l.host == nil {
		return LinkStats{}, LinkStats{}
	}
	return l.out.stats(), l.in.stats()
}

func (d *direction) stats() LinkStats {
	return LinkStats{Packets: d.packets.Load(), Bytes: d.bytes.Load(), Lost: d.lost.Load(), Overflown: d.overflown.Load()}
}

// open starts the relay between the two devices of the link's namespace.
func (l *Link) open() error {
	for i, device := range []string{"near", "far"} {
		if err := l.host.Do(func() (err error) {
			if err = disableOffloads(device); err == nil {
				l.ends[i], err = openPacketSocket(device)
			}
			return err
		}); err != nil {
			return fmt.Errorf("relay on %s: %w", device, err)
		}
	}
	l.out, l.in = newDirection(), newDirection()
	l.out.relay(&l.done, l.ends[0], l.ends[1])
	l.in.relay(&l.done, l.ends[1], l.ends[0])
	return nil
}

// close ends the relay.
func (l *Link) close() error {
	var errs []error
	for _, end := range l.ends {
		if end != nil {
			errs = append(errs, end.Close())
		}
	}
	l.done.Wait()
	return errors.Join(errs...)
}

func newDirection() *direction {
	d := &direction{}
	d.impairment.Store(&Impairment{})
	return d
}

// transit is a packet on its way and the moment it arrives.
type transit struct {
	frame   []byte
	arrival time.Time
}

// inTransit bounds the packets on their way in one direction; at 200,000 a second that is a
// third of a second. Beyond it the relay stops reading and the socket's buffer overflows, as a
// router's would.
const inTransit = 1 << 16

// relay moves packets from one end to the other until the ends are closed: one goroutine reads
// them and decides when they arrive, another waits and delivers.
func (d *direction) relay(done *sync.WaitGroup, from, to *packetSocket) {
	line := make(chan transit, inTransit)
	done.Go(func() {
		defer close(line)
		var schedule schedule
		buffer := make([]byte, maxFrame)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			arrival, fate := schedule.next(time.Now(), n, *d.impairment.Load(), rand.Float64(), rand.Float64())
			switch fate {
			case lost:
				d.lost.Add(1)
			case overflown:
				d.overflown.Add(1)
			case delivered:
				line <- transit{append([]byte(nil), buffer[:n]...), arrival}
			}
		}
	})
	done.Go(func() {
		for t := range line {
			if wait := time.Until(t.arrival); wait > 0 {
				time.Sleep(wait)
			}
			if to.Write(t.frame) == nil {
				d.packets.Add(1)
				d.bytes.Add(uint64(len(t.frame)))
			}
		}
	})
}

// fate is what becomes of a packet.
type fate uint8

const (
	delivered fate = iota
	lost
	overflown
)

// schedule is the memory of one direction: when the line is free and when the last packet arrives.
type schedule struct {
	free time.Time // the line has sent everything so far by then
	last time.Time // arrival of the packet before
}

// next decides about a packet of size bytes that came at now. chance and spread are random
// numbers in [0,1): they decide loss and jitter.
func (s *schedule) next(now time.Time, size int, i Impairment, chance, spread float64) (time.Time, fate) {
	if chance < i.Loss {
		return time.Time{}, lost
	}
	sent := now
	if i.Rate > 0 {
		queue := i.Queue
		if queue == 0 {
			queue = defaultQueue
		}
		if s.free.Before(now) {
			s.free = now
		}
		if waiting := s.free.Sub(now).Seconds() * float64(i.Rate) / 8; waiting+float64(size) > float64(queue) {
			return time.Time{}, overflown
		}
		s.free = s.free.Add(time.Duration(float64(size) * 8 / float64(i.Rate) * float64(time.Second)))
		sent = s.free
	}
	arrival := sent.Add(i.Delay + time.Duration(spread*float64(i.Jitter)))
	if arrival.Before(s.last) {
		arrival = s.last
	}
	s.last = arrival
	return arrival, delivered
}
