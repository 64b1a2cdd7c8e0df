package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"sluice/appid"
	"sluice/manage/view"
	"sluice/sigpack"
	"sluice/sigpack/install"
	"sluice/store"
	"sluice/track"
)

// openApplications opens application identification and the signature packages that it works with.
func openApplications(o gatewayOptions, st *store.Store, tracker *track.Tracker, logger *slog.Logger) (*appid.Service, *install.Manager, error) {
	root, err := os.ReadFile(o.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("root of trust of signature packages: %w", err)
	}
	var apps *appid.Service // set before any package changes
	packages, err := install.New(install.Options{
		Dir:        filepath.Join(o.state, "appid", "packages"),
		Root:       root,
		Activate:   func(p *sigpack.Package) error { return apps.Activate(p) },
		References: func(removed, renumbered []string) []string { return apps.References(removed, renumbered) },
		Log:        systemMessage(logger, tracker),
		Watch:      o.trial,
		Logger:     logger,
	})
	if err != nil {
		return nil, nil, err
	}
	apps, err = appid.New(appid.Options{
		Dir: filepath.Join(o.state, "appid", "signatures"), DB: st.StateDB(), Logger: logger, Packages: packages,
	})
	if err != nil {
		packages.Close()
		return nil, nil, err
	}
	return apps, packages, nil
}

// systemMessage writes the messages about signature packages to the log of the gateway, and sends
// them where system syslog says.
func systemMessage(logger *slog.Logger, tracker *track.Tracker) func(tag string, severity install.Severity, text string) {
	return func(tag string, severity install.Severity, text string) {
		level := slog.LevelInfo
		if severity <= install.Error {
			level = slog.LevelError
		}
		logger.Log(context.Background(), level, tag+": "+text)
		tracker.System(tag, track.Severity(severity), text)
	}
}

// applicationAlarms are what is wrong with applications and packages.
func applicationAlarms(apps *appid.Service, packages *install.Manager) []view.Alarm {
	var list []view.Alarm
	for _, a := range apps.Alarms() {
		list = append(list, view.Alarm(a))
	}
	for _, a := range packages.Alarms() {
		list = append(list, view.Alarm(a))
	}
	return list
}
