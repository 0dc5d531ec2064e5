package conformance

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/gateway-api/pkg/features"
)

// Files of the results.
const (
	reportFile   = "conformance.yaml"
	outcomesFile = "conformance.json"
	pageFile     = "conformance.md"
)

// Results are what a run of the suite gave.
type Results struct {
	Report   Report
	Outcomes Outcomes
}

// Report is what the page shows of the suite's report.
type Report struct {
	Date              string `json:"date"`
	GatewayAPIVersion string `json:"gatewayAPIVersion"`
	GatewayAPIChannel string `json:"gatewayAPIChannel"`
	Implementation    struct {
		Version string `json:"version"`
	} `json:"implementation"`
	Profiles []struct {
		Name     string  `json:"name"`
		Core     Status  `json:"core"`
		Extended *Status `json:"extended"`
	} `json:"profiles"`
}

// Status is the suite's judgement over tests.
type Status struct {
	Result     string `json:"result"`
	Statistics struct{ Passed, Skipped, Failed int }
}

// Outcomes are what the report does not tell: of each test.
type Outcomes struct {
	Profiles []Profile
	Tests    []Test
}

// Profile is what one of the suite's is made of.
type Profile struct {
	Name           string
	Core, Extended []features.FeatureName
}

// Test is one of the suite's.
type Test struct {
	Name        string
	Features    []features.FeatureName
	Provisional bool
	Outcome     string // "passed", "failed" or "skipped"
}

// page is what people read of the results.
func (r Results) page() string {
	var p strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&p, format+"\n", args...) }
	line("# Gateway API conformance")
	line("")
	line("Made by `make conformance`: the official suite of Gateway API %s, %s channel, against real pods of Kong with",
		r.Report.GatewayAPIVersion, r.Report.GatewayAPIChannel)
	line("kube-sync in them, installed by [install.yaml](../../kong-conf/install.yaml). [%s](%s) is the suite's own report,", reportFile, reportFile)
	line("[%s](%s) the outcome of each test. kube-sync %s, %s.", outcomesFile, outcomesFile, r.Report.Implementation.Version, r.Report.Date)
	line("")
	line("| Profile | Core | Extended |")
	line("| --- | --- | --- |")
	for _, profile := range gatewayProfiles {
		line("| %s | %s |", profile.name, r.judgement(profile.name, profile.kind))
	}
	line("")
	line("A feature passes when all tests do that rely on it. Tests that rely on an extended feature count for that alone.")
	line("")
	line("| Feature | Level | Profiles | Result |")
	line("| --- | --- | --- | --- |")
	for _, f := range r.features() {
		line("| %s | %s | %s | %s |", f, r.level(f), strings.Join(r.profilesOf(f), ", "), r.result(f))
	}
	return p.String()
}

// judgement is the suite's over a profile, in two cells.
func (r Results) judgement(profile string, kind features.FeatureName) string {
	for _, found := range r.Report.Profiles {
		if found.Name != profile {
			continue
		}
		extended := "–"
		if found.Extended != nil {
			extended = found.Extended.String()
		}
		return found.Core.String() + " | " + extended
	}
	return fmt.Sprintf("not run: %s is not claimed | –", kind)
}

func (s Status) String() string {
	n := s.Statistics
	return fmt.Sprintf("%s: %d of %d tests passed", s.Result, n.Passed, n.Passed+n.Failed+n.Skipped)
}

// features are all of gateways: those of the core first.
func (r Results) features() []features.FeatureName {
	var core, extended []features.FeatureName
	for f := range features.SetsToNamesSet(features.AllFeatures) {
		switch {
		case mesh(f):
		case r.level(f) == levelCore:
			core = append(core, f)
		default:
			extended = append(extended, f)
		}
	}
	slices.Sort(core)
	slices.Sort(extended)
	return append(core, extended...)
}

const levelCore = "core"

// level is "core" if the feature is that of a profile.
func (r Results) level(f features.FeatureName) string {
	for _, profile := range r.Outcomes.Profiles {
		if slices.Contains(profile.Core, f) {
			return levelCore
		}
	}
	return "extended, " + string(features.GetFeature(f).Channel)
}

// profilesOf are the profiles that a feature counts for, without what their names have in common.
func (r Results) profilesOf(f features.FeatureName) []string {
	var names []string
	for _, profile := range r.Outcomes.Profiles {
		if slices.Contains(profile.Core, f) || slices.Contains(profile.Extended, f) {
			names = append(names, strings.TrimPrefix(profile.Name, "GATEWAY-"))
		}
	}
	return names
}

// result tells whether a feature's tests passed, or why it is not claimed.
func (r Results) result(f features.FeatureName) string {
	if !slices.Contains(claimed(), f) {
		return "not claimed"
	}
	passed, failed := 0, []string{}
	for _, test := range r.Outcomes.Tests {
		if !r.countsFor(test, f) {
			continue
		}
		switch test.Outcome {
		case "passed":
			passed++
		case "failed":
			failed = append(failed, test.Name)
		}
	}
	switch {
	case len(failed) > 0:
		return "**failed**: " + strings.Join(failed, ", ")
	case passed == 0:
		return "claimed; the suite has no test for it"
	case passed == 1:
		return "passed: 1 test"
	}
	return fmt.Sprintf("passed: %d tests", passed)
}

func (r Results) countsFor(test Test, f features.FeatureName) bool {
	isExtended := func(f features.FeatureName) bool { return r.level(f) != levelCore }
	return slices.Contains(test.Features, f) && (isExtended(f) || !slices.ContainsFunc(test.Features, isExtended))
}
