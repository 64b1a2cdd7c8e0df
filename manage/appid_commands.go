package manage

import (
	"fmt"
	"path/filepath"
	"strings"

	"sluice/manage/command"
	"sluice/sigpack/install"
)

// applicationHelp is the help of every word that leads to a command of application identification.
var applicationHelp = map[string]string{
	"clear services": "Clear information of services",
	"clear services application-identification":                          "Clear information of application identification",
	"clear services application-identification application-system-cache": "Forget the applications of all servers",
	"clear services application-identification counter":                  "Set the counters to zero",
	"clear services application-identification packet-capture":           "Clear information of captures of unknown applications",
	"clear services application-identification packet-capture counters":  "Set the counters of captures to zero",
	"clear services application-identification statistics":               "Set all statistics to zero, those of applications and of groups",
	"request":                                                                         "Have something done",
	"request security":                                                                "Have something done for security",
	"request security idp":                                                            "Signature package, by its name in intrusion detection",
	"request security idp security-package":                                           "Update the signature package",
	"request security idp security-package download":                                  "Download a package",
	"request security idp security-package download status":                           "Show how the download goes",
	"request security idp security-package install":                                   "Install the package that was downloaded",
	"request security idp security-package install status":                            "Show how the installation goes",
	"request services":                                                                "Have something done for services",
	"request services application-identification":                                     "Update the signature package, choose applications",
	"request services application-identification application":                         "Disable or enable an application",
	"request services application-identification clear":                               "Remove files",
	"request services application-identification clear packet-capture":                "Remove files of captures",
	"request services application-identification clear packet-capture all":            "Remove all files of captures of unknown applications",
	"request services application-identification download":                            "Download a signature package",
	"request services application-identification download check-server":               "Show the latest packages of the server, and download none",
	"request services application-identification download status":                     "Show how the download goes",
	"request services application-identification group":                               "Disable, enable or copy a predefined group",
	"request services application-identification install":                             "Install the package that was downloaded",
	"request services application-identification install status":                      "Show how the installation goes",
	"request services application-identification new-to-production":                   "Take applications out of the group junos:all-new-apps",
	"request services application-identification new-to-production all":               "All new applications",
	"request services application-identification new-to-production applications-list": "These applications",
	"request services application-identification offline-download":                    "Take a package from a file",
	"request services application-identification offline-download status":             "Show how that goes",
	"request services application-identification proto-bundle-status":                 "Show whether the protocol bundle is active",
	"request services application-identification rollback":                            "Go back to the package that was installed before",
	"request services application-identification rollback status":                     "Show how that goes",
	"request services application-identification uninstall":                           "Remove the signature package",
	"request services application-identification uninstall status":                    "Show how that goes",
	"show security idp":                                                          "Show the signature package, by its name in intrusion detection",
	"show security idp security-package-version":                                 "Show the versions of the signature package",
	"show services":                                                              "Show information of services",
	"show services application-identification":                                   "Show information of application identification",
	"show services application-identification application":                       "Show all applications",
	"show services application-identification application detail":                "Show everything about an application",
	"show services application-identification application micro-applications":    "Show the micro-applications",
	"show services application-identification application non-configurable":      "Show the applications that a configuration should not name",
	"show services application-identification application obsolete-applications": "Show the applications that will leave the signature package",
	"show services application-identification application-group":                 "Show the applications of a group",
	"show services application-identification application-system-cache":          "Show the applications of servers that are remembered",
	"show services application-identification counter":                           "Show counters",
	"show services application-identification group":                             "Show all groups of applications",
	"show services application-identification group detail":                      "Show the applications of groups",
	"show services application-identification group obsolete-groups":             "Show the groups that will leave the signature package",
	"show services application-identification packet-capture":                    "Show information of captures of unknown applications",
	"show services application-identification packet-capture counters":           "Show counters of captures",
	"show services application-identification recent-appid-sigpack-versions":     "Show the versions of the signature package that the server offered last",
	"show services application-identification statistics":                        "Show statistics of closed sessions",
	"show services application-identification statistics application-groups":     "Show statistics of groups",
	"show services application-identification statistics applications":           "Show statistics of applications",
	"show services application-identification status":                            "Show how applications are identified, and by which package",
	"show services application-identification version":                           "Show the version of the signature package",
	"show services application-identification version detail":                    "Show the version that failed validation too",
}

// applicationCommands are the commands of application identification.
var applicationCommands = identificationCommands()

func identificationCommands() []command.Command[handler] {
	var all []command.Command[handler]
	for verb, commands := range map[string][]command.Command[handler]{
		"clear services application-identification ":   clearIdentification,
		"request services application-identification ": requestIdentification,
		"show services application-identification ":    showIdentification,
		"request security idp security-package ":       requestSecurityPackage,
	} {
		for _, c := range commands {
			c.Words = verb + c.Words
			all = append(all, c)
		}
	}
	return append(all, command.Command[handler]{Words: "show security idp security-package-version", Do: showIDPVersion})
}

var clearIdentification = []command.Command[handler]{
	{Words: "application-system-cache", Do: clearApplicationCache},
	{Words: "counter", Do: clearIdentificationCounters},
	{Words: "packet-capture counters", Do: clearCaptureCounters},
	{Words: "statistics", Do: clearApplicationStatistics},
}

var requestIdentification = []command.Command[handler]{
	{Words: "application", Options: []command.Option{
		bare("application", "Application", applicationValue),
		{Name: "disable", Help: "Identify it no more: its sessions are the protocol below it", Group: "verb"},
		{Name: "enable", Help: "Identify it again", Group: "verb"},
	}, Do: switchApplication},
	{Words: "clear packet-capture all", Do: clearCaptures},
	{Words: "download", Options: []command.Option{
		{Name: "minor-only", Help: "Take only a package with the protocol bundle that is installed", Group: "what"},
		{Name: "version", Help: "Take this version, older ones too", Group: "what", Value: packageValue},
	}, Do: downloadPackage},
	{Words: "download check-server", Do: checkServer},
	{Words: "download status", Do: statusOf(install.Download)},
	{Words: "group", Options: []command.Option{
		bare("group", "Group", predefinedGroupValue),
		{Name: "copy", Help: "Make a group of your own of it, in the candidate configuration", Group: "verb"},
		{Name: "disable", Help: "Let it match nothing", Group: "verb"},
		{Name: "enable", Help: "Let it match its applications again", Group: "verb"},
	}, Do: changeGroup},
	{Words: "install", Options: []command.Option{
		flag("ignore-duplicate-version-check", "Install the version that is installed already"),
	}, Do: installPackage},
	{Words: "install status", Do: statusOf(install.Install)},
	{Words: "new-to-production all", Do: promoteAll},
	{Words: "new-to-production applications-list", Rest: &command.Value{Name: "applications", Help: "New applications: [ junos:A junos:B ]", Live: "new-application"}, Do: promote},
	{Words: "offline-download", Options: []command.Option{
		{Name: "package-path", Help: "Archive of a package", Value: pathValue, Required: true},
	}, Do: offlineDownload},
	{Words: "offline-download status", Do: statusOf(install.Offline)},
	{Words: "proto-bundle-status", Do: showBundleStatus},
	{Words: "rollback", Do: rollbackPackage},
	{Words: "rollback status", Do: statusOf(install.Rollback)},
	{Words: "uninstall", Do: uninstallPackage},
	{Words: "uninstall status", Do: statusOf(install.Uninstall)},
}

var showIdentification = []command.Command[handler]{
	{Words: "application", Do: showApplications},
	{Words: "application detail", Options: []command.Option{
		{Name: "application", Help: "Name of an application", Value: applicationValue, Bare: true, Required: true},
	}, Do: showApplication},
	{Words: "application micro-applications", Do: showMicroApplications},
	{Words: "application non-configurable", Do: showNonConfigurable},
	{Words: "application obsolete-applications", Do: showObsoleteApplications},
	{Words: "application-group", Options: []command.Option{
		{Name: "group", Help: "Name of a group", Value: groupValue, Bare: true, Required: true},
	}, Do: showGroup},
	{Words: "application-system-cache", Do: showApplicationCache},
	{Words: "counter", Do: showIdentificationCounters},
	{Words: "group", Do: showGroups},
	{Words: "group detail", Options: []command.Option{bare("group", "Group", groupValue)}, Do: showGroup},
	{Words: "group obsolete-groups", Do: showObsoleteGroups},
	{Words: "packet-capture counters", Do: showCaptureCounters},
	{Words: "recent-appid-sigpack-versions", Do: showRecentPackages},
	{Words: "statistics application-groups", Options: []command.Option{intervalOption}, Do: showGroupStatistics},
	{Words: "statistics applications", Options: []command.Option{
		flag("details", "Show what made the identification final"), intervalOption,
	}, Do: showApplicationStatistics},
	{Words: "status", Do: showIdentificationStatus},
	{Words: "version", Do: showPackageVersion},
	{Words: "version detail", Do: showPackageVersionDetail},
}

var requestSecurityPackage = []command.Command[handler]{
	{Words: "download", Do: downloadSecurityPackage},
	{Words: "download status", Do: showSecurityPackageDownload},
	{Words: "install", Do: installSecurityPackage},
	{Words: "install status", Do: showSecurityPackageInstall},
}

// Values of the commands of application identification.
var (
	applicationValue     = &command.Value{Name: "application", Help: "Name of an application (junos:HTTP)", Live: "dynamic-application"}
	groupValue           = &command.Value{Name: "group", Help: "Name of a group (junos:web)", Live: "application-group"}
	predefinedGroupValue = &command.Value{Name: "group", Help: "Name of a predefined group (junos:web)", Live: "predefined-group"}
	packageValue         = numberValue("version", "Version of a signature package", 1, 1<<31-1)
	intervalOption       = command.Option{Name: "interval", Help: "Statistics of one interval (0 is the one going on, 1 the one before)",
		Value: numberValue("interval", "Number of an interval (0..1)", 0, 1)}
	pathValue = &command.Value{Name: "path", Help: "Absolute path of a file on the gateway", Check: func(text string) error {
		if !filepath.IsAbs(text) || strings.ContainsRune(text, 0) {
			return fmt.Errorf("%q is not an absolute path", text)
		}
		return nil
	}}
)
