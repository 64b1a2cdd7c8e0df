package sigpack

import (
	"sync"
	"time"

	"sluice/classify/data"
)

// builtinInfo identifies the package that the program carries.
var builtinInfo = Info{
	Version: 1000, Kind: Major, Base: 1000, Released: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	ProtocolBundle: Component{"1.0.0-1", time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)},
	Engine:         Component{"1.0.0-1", time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)},
	MicroApps:      "1.0.0-0", CustomApps: "1.0.0-0",
}

// Builtin is the package that the program carries; a gateway has it until it installs another.
// It is read once; the result is shared and must not be changed.
var Builtin = sync.OnceValues(func() (*Package, error) {
	database, problems := data.Load()
	if err := allProblems(problems); err != nil {
		return nil, err
	}
	m := &Manifest{Format: Format, Info: builtinInfo, Counts: count(database), Contexts: contexts(database)}
	return &Package{Manifest: m, Database: database}, nil
})
