// Package summary is the file in which end-to-end tests note the gateway that they met and what they left out. It needs only
// the standard library, so that make test starts soon.
package summary

import "strings"

// Variable is the environment variable that names the file.
const Variable = "KUBE_SYNC_E2E_SUMMARY"

// Prefixes of the file's lines. The line of a skipped test goes on with its name and the reason.
const (
	Gateway = "gateway: "
	Skipped = "skipped: "
)

// Of returns a summary file in one line: the gateway of the tests, and the tests that were skipped.
func Of(written string) string {
	var gateways, reasons []string
	skipped := map[string][]string{} // tests by reason
	for line := range strings.Lines(written) {
		line = strings.TrimSpace(line)
		if gateway, ok := strings.CutPrefix(line, Gateway); ok {
			gateways = append(gateways, gateway)
		}
		if rest, ok := strings.CutPrefix(line, Skipped); ok {
			test, reason, _ := strings.Cut(rest, ": ")
			if skipped[reason] == nil {
				reasons = append(reasons, reason)
			}
			skipped[reason] = append(skipped[reason], test)
		}
	}
	if len(gateways) == 0 {
		return "End-to-end tests met no gateway at all: none of them ran, see above."
	}
	met := "End-to-end tests ran against " + strings.Join(gateways, " and ") + "; "
	if len(reasons) == 0 {
		return met + "nothing was left out."
	}
	var left []string
	for _, reason := range reasons {
		left = append(left, strings.Join(skipped[reason], ", ")+" ("+reason+")")
	}
	return met + "left out: " + strings.Join(left, "; ") + "."
}
