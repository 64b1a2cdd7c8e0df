package manage

import (
	"context"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/sigpack"
	"sluice/sigpack/install"
)

// serverTimeout bounds how long a command waits for the server of signature packages.
const serverTimeout = 20 * time.Second

// Packages are the signature packages of the gateway, as [install.Manager] keeps them.
type Packages interface {
	Details() install.Details
	Faulty() []sigpack.Info
	Recent(context.Context) []int
	CheckServer(context.Context) (string, error)
	Download(install.Want) (string, error)
	OfflineDownload(path string) (string, error)
	Install(ignoreDuplicate bool) (string, error)
	Uninstall() (string, error)
	Rollback() (string, error)
	Status(install.Operation) install.Status
	ProtocolBundle() string
	IDPDownloadStatus() string
	IDPInstallStatus() string
}

// packages are the signature packages, or an error when the gateway runs without.
func (s *Server) packages() (Packages, error) {
	if s.options.Packages == nil {
		return nil, &api.Error{Message: "the gateway keeps no signature packages"}
	}
	return s.options.Packages, nil
}

// starting makes a handler that has something begun, and says where its result will be.
func starting(start func(Packages, *request) (string, error)) handler {
	return func(s *Server, r *request) (view.View, error) {
		packages, err := s.packages()
		if err != nil {
			return nil, err
		}
		text, err := start(packages, r)
		if err != nil {
			return nil, err
		}
		return &view.Message{Message: text}, nil
	}
}

// asynchronously makes a handler that has something begun under the names of intrusion detection.
func asynchronously(start func(Packages) (string, error)) handler {
	return starting(func(packages Packages, _ *request) (string, error) {
		_, err := start(packages)
		return install.IDPStarted, err
	})
}

var (
	downloadPackage = starting(func(packages Packages, r *request) (string, error) {
		return packages.Download(install.Want{Version: int(r.number("version")), MinorOnly: r.args.Has("minor-only")})
	})
	installPackage = starting(func(packages Packages, r *request) (string, error) {
		return packages.Install(r.args.Has("ignore-duplicate-version-check"))
	})
	uninstallPackage = starting(func(packages Packages, _ *request) (string, error) { return packages.Uninstall() })
	rollbackPackage  = starting(func(packages Packages, _ *request) (string, error) { return packages.Rollback() })
	offlineDownload  = starting(func(packages Packages, r *request) (string, error) {
		return packages.OfflineDownload(r.args["package-path"])
	})
	checkServer = starting(func(packages Packages, r *request) (string, error) {
		ctx, cancel := context.WithTimeout(r.ctx, serverTimeout)
		defer cancel()
		return packages.CheckServer(ctx)
	})
	showBundleStatus = starting(func(packages Packages, _ *request) (string, error) { return packages.ProtocolBundle(), nil })

	downloadSecurityPackage     = asynchronously(func(packages Packages) (string, error) { return packages.Download(install.Want{}) })
	installSecurityPackage      = asynchronously(func(packages Packages) (string, error) { return packages.Install(false) })
	showSecurityPackageDownload = starting(func(packages Packages, _ *request) (string, error) { return packages.IDPDownloadStatus(), nil })
	showSecurityPackageInstall  = starting(func(packages Packages, _ *request) (string, error) { return packages.IDPInstallStatus(), nil })
)

// statusOf makes the handler that shows how an operation is doing.
func statusOf(op install.Operation) handler {
	return func(s *Server, _ *request) (view.View, error) {
		packages, err := s.packages()
		if err != nil {
			return nil, err
		}
		status := packages.Status(op)
		return &view.PackageOperation{Operation: op.String(), State: status.State.String(), Version: uint64(status.Version), Body: status.Text, At: status.At}, nil
	}
}

func showPackageVersion(s *Server, _ *request) (view.View, error) {
	packages, err := s.packages()
	if err != nil {
		return nil, err
	}
	return &view.AppIDVersion{Installed: packageView(packages.Details().Installed)}, nil
}

func showPackageVersionDetail(s *Server, _ *request) (view.View, error) {
	packages, err := s.packages()
	if err != nil {
		return nil, err
	}
	answer := &view.AppIDVersion{Installed: packageView(packages.Details().Installed), Detail: true}
	if faulty := packages.Faulty(); len(faulty) > 0 {
		answer.Failed = packageView(&faulty[len(faulty)-1])
	}
	return answer, nil
}

func showRecentPackages(s *Server, r *request) (view.View, error) {
	packages, err := s.packages()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, serverTimeout)
	defer cancel()
	answer := &view.RecentPackages{Versions: []uint64{}}
	for _, version := range packages.Recent(ctx) {
		answer.Versions = append(answer.Versions, uint64(version))
	}
	return answer, nil
}

func showIDPVersion(s *Server, _ *request) (view.View, error) {
	packages, err := s.packages()
	if err != nil {
		return nil, err
	}
	installed := packages.Details().Installed
	if installed == nil {
		return &view.IDPVersion{}, nil
	}
	return &view.IDPVersion{Version: uint64(installed.Version), Released: installed.Released, Detector: installed.Engine.Version}, nil
}

// packageView is a package as commands show it; nil is none.
func packageView(i *sigpack.Info) *view.PackageVersions {
	if i == nil {
		return nil
	}
	return &view.PackageVersions{Version: uint64(i.Version), Kind: i.Kind.String(), Released: i.Released,
		Bundle: view.Build{Version: i.ProtocolBundle.Version, Date: i.ProtocolBundle.Built}, Engine: view.Build{Version: i.Engine.Version, Date: i.Engine.Built},
		MicroApps: i.MicroApps, CustomAppsInfra: i.CustomApps}
}
