package scan

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/flier/gohs/hyperscan"
)

// maxTogether is how many expressions a database holds. Twice as many take far more than twice the
// time and memory to compile.
const maxTogether = 2000

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.context, o.context), cmp.Compare(p.direction, o.direction))
}

// builder makes the tables of a set. Places in which the same is looked for share their databases.
type builder struct {
	cache   *cache
	built   map[[32]byte][]part
	loaded  []native
	refused map[expression]error // what could not be compiled, and why
}

func newBuilder(c *cache) *builder {
	return &builder{cache: c, built: map[[32]byte][]part{}, refused: map[expression]error{}}
}

// part is a database and its expressions, as far as they could be compiled.
type part struct {
	native      native
	expressions []expression
}

// table makes the table of one place, or nil when there is nothing to look for.
func (b *builder) table(ctx context.Context, want wanted) (*table, error) {
	expressions := slices.SortedFunc(maps.Keys(want), expression.compare)
	for _, e := range expressions[min(MaxExpressions, len(expressions)):] {
		b.refused[e] = fmt.Errorf("one of more than %d expressions in a context", MaxExpressions)
	}
	expressions = slices.DeleteFunc(expressions, func(e expression) bool { return b.refused[e] != nil })
	t := &table{}
	for some := range slices.Chunk(expressions, maxTogether) {
		parts, err := b.parts(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			d := database{native: p.native, members: make([][]member, len(p.expressions))}
			for i, e := range p.expressions {
				d.members[i] = want[e]
				d.chains = d.chains || e.chain
			}
			t.databases = append(t.databases, d)
		}
	}
	if len(t.databases) == 0 {
		return nil, nil
	}
	return t, nil
}

// parts are databases for expressions: one, unless they are too much for one. Expressions that
// cannot be compiled are refused and left out.
func (b *builder) parts(ctx context.Context, expressions []expression) ([]part, error) {
	if len(expressions) == 0 {
		return nil, nil
	}
	key := keyOf(expressions)
	if parts, ok := b.built[key]; ok {
		return parts, nil
	}
	if n, err := load(b.cache.get(key), expressions); err == nil {
		return b.keep(key, n, expressions), nil
	}
	compiled, err := compileWhile(ctx, b.cache, key, expressions)
	var wrong *hyperscan.CompileError
	switch {
	case err == nil:
		n, err := load(compiled, expressions)
		if err != nil {
			return nil, err
		}
		return b.keep(key, n, expressions), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &wrong) && wrong.Expression >= 0 && wrong.Expression < len(expressions):
		b.refused[expressions[wrong.Expression]] = explain(wrong)
		return b.parts(ctx, slices.Delete(slices.Clone(expressions), wrong.Expression, wrong.Expression+1))
	case len(expressions) == 1:
		b.refused[expressions[0]] = explain(err)
		return nil, nil
	}
	half := len(expressions) / 2
	first, err := b.parts(ctx, expressions[:half])
	if err != nil {
		return nil, err
	}
	second, err := b.parts(ctx, expressions[half:])
	return append(slices.Clip(first), second...), err
}

func (b *builder) keep(key [32]byte, n native, expressions []expression) []part {
	b.loaded = append(b.loaded, n)
	b.built[key] = []part{{n, expressions}}
	return b.built[key]
}

// discard frees what was built in vain.
func (b *builder) discard() {
	for _, n := range b.loaded {
		n.free()
	}
}

// compileWhile compiles expressions and puts them into the cache. Hyperscan cannot be interrupted:
// when ctx ends first, the result goes into the cache only.
func compileWhile(ctx context.Context, c *cache, key [32]byte, expressions []expression) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var compiled []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		if compiled, err = compile(expressions); err == nil {
			c.put(key, compiled)
		}
	}()
	select {
	case <-done:
		return compiled, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// compile returns a database for this library and this processor.
func compile(expressions []expression) ([]byte, error) {
	patterns := make([]*hyperscan.Pattern, len(expressions))
	for i, e := range expressions {
		patterns[i] = e.pattern(i)
	}
	db, err := hyperscan.NewBlockDatabase(patterns...)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Marshal()
}

// pattern is the expression as Hyperscan takes it. The first match is enough, except where a later
// one may be the one that counts.
func (e expression) pattern(number int) *hyperscan.Pattern {
	p := hyperscan.NewPattern(e.regexp, hyperscan.DotAll)
	p.Id = number
	if e.caseless {
		p.Flags |= hyperscan.Caseless
	}
	if !e.chain && (e.depth == 0 || !e.unordered()) {
		p.Flags |= hyperscan.SingleMatch
	}
	return p
}

// unordered says whether a later match may end before the first one that is reported.
func (e expression) unordered() bool {
	info, err := hyperscan.NewPattern(e.regexp, hyperscan.DotAll).Info()
	return err == nil && info.ReturnUnordered
}

// keyOf identifies what a compiled database depends on: the expressions, the library, and the
// processor.
func keyOf(expressions []expression) (key [32]byte) {
	h := sha256.New()
	platform := hyperscan.PopulatePlatform()
	fmt.Fprintf(h, "%s\n%s\n%d %d\n", cacheFormat, hyperscan.Version(), platform.Tune(), platform.CpuFeatures())
	for _, e := range expressions {
		fmt.Fprintf(h, "%q %d %t %t\n", e.regexp, e.depth, e.caseless, e.chain)
	}
	h.Sum(key[:0])
	return key
}
