package appqos

import (
	"fmt"

	"sluice/store/schema"
)

// link is what a link does with the packets that leave by it.
type link struct {
	rate   uint64                                // bit/s that it is shaped to; 0 for not at all
	points map[string]map[LossPriority]CodePoint // its rewrite rule, by class; nil for none
}

// ShapedLinks are the rates, in bit/s, of the logical interfaces that are shaped.
func (e *Engine) ShapedLinks() map[string]uint64 {
	rates := map[string]uint64{}
	for name, l := range e.links {
		if l.rate != 0 {
			rates[name] = l.rate
		}
	}
	return rates
}

// Treatment is what a rule does to the packets of a session.
type Treatment struct {
	*Rule
	Points [2]CodePoint // by Direction: the code points that packets are given
}

// treatment is what r does to a session whose directions leave by the links with these logical names.
// A link marks the packets of the classes that its rewrite rule names, and no others (guide, "Unique
// Forwarding Classes and Queue Assignments").
func (e *Engine) treatment(r *Rule, links [2]string) *Treatment {
	t := &Treatment{Rule: r, Points: [2]CodePoint{r.CodePoint, r.CodePoint}}
	if r.Class == nil {
		return t
	}
	for d, name := range links {
		l := e.links[name]
		if l == nil {
			continue
		}
		if point, rewritten := l.points[r.Class.Name][max(r.LossPriority, LossLow)]; rewritten {
			t.Points[d] = point
		}
	}
	return t
}

// Place is where packets wait for their link: a queue, and a loss priority in it.
type Place struct {
	Queue uint8 // 0 to 7
	Loss  LossPriority
}

// usual is the place of packets that have neither class nor loss priority.
var usual = Place{0, LossLow}

// Place is where the packets of r wait. Those that exceed its limiter and pass nevertheless have the
// highest loss priority.
func (r *Rule) Place(exceeding bool) Place {
	p := usual
	if r.Class != nil {
		p.Queue = r.Class.Queue
	}
	if r.LossPriority != LossUnset {
		p.Loss = r.LossPriority
	}
	if exceeding {
		p.Loss = LossHigh
	}
	return p
}

// Places are where packets wait that wait elsewhere than most, each once.
func (e *Engine) Places() []Place {
	var list []Place
	seen := map[Place]bool{usual: true}
	for _, set := range e.sets {
		for _, r := range set.Rules {
			for _, exceeding := range []bool{false, true} {
				if p := r.Place(exceeding); !seen[p] && (!exceeding || r.Defer) {
					seen[p] = true
					list = append(list, p)
				}
			}
		}
	}
	return list
}

// compileLinks reads what links do, and the rewrite rules that they name.
func (c *compiler) compileLinks() {
	rules := map[string]map[string]map[LossPriority]CodePoint{}
	for _, r := range c.cfg.ClassOfService.RewriteRules.DSCP {
		rules[r.Name] = c.rewriteRule("class-of-service rewrite-rules dscp "+r.Name, r.Classes)
	}
	for _, i := range c.cfg.ClassOfService.Interfaces {
		for _, u := range i.Units {
			l := &link{points: rules[u.RewriteRules.DSCP]}
			if u.ShapingRate != nil {
				l.rate = uint64(*u.ShapingRate)
			}
			name := c.cfg.Logical(fmt.Sprintf("%s.%d", i.Name, u.Number)).Name
			if !c.isInterface(name) {
				c.warn("class-of-service interfaces "+i.Name, "configure it under interfaces, or put it into a zone", "interface %s is not configured, so nothing leaves by it", name)
			}
			c.e.links[name] = l
		}
	}
}

// isInterface says whether a logical interface is configured.
func (c *compiler) isInterface(name string) bool {
	for _, l := range c.cfg.LogicalInterfaces() {
		if l.Name == name {
			return true
		}
	}
	return false
}

// rewriteRule compiles one rewrite rule.
func (c *compiler) rewriteRule(path string, classes []schema.RewriteClass) map[string]map[LossPriority]CodePoint {
	points := map[string]map[LossPriority]CodePoint{}
	for _, class := range classes {
		at := path + " forwarding-class " + class.Class
		c.class(at, class.Class)
		points[class.Class] = map[LossPriority]CodePoint{}
		for _, level := range class.Levels {
			points[class.Class][lossPriority(level.Level)] = c.point(at+" loss-priority "+level.Level+" code-point", level.CodePoint)
		}
	}
	return points
}
