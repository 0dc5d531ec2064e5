package lab

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// summaryVariable names a file in which make test finds what the tests met.
const summaryVariable = "KUBE_SYNC_E2E_SUMMARY"

// Lines of the summary begin with these. What was skipped goes on with the test's name and the reason.
const (
	summaryGateway = "gateway: "
	summarySkipped = "skipped: "
)

// Met notes in the summary which gateway the tests meet.
func Met(t testing.TB, gateway string) {
	t.Helper()
	note(t, summaryGateway+gateway)
}

// Skip skips a test for what the gateway or the cluster lacks, and notes it in the summary.
func Skip(t testing.TB, reason string) {
	t.Helper()
	note(t, summarySkipped+t.Name()+": "+reason)
	t.Skip(reason)
}

// note adds a line to the summary, once.
func note(t testing.TB, line string) {
	t.Helper()
	path := os.Getenv(summaryVariable)
	if path == "" {
		return
	}
	written, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if slices.Contains(strings.Split(string(written), "\n"), line) {
		return
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file, line); err != nil {
		t.Fatal(err)
	}
}

// Summary says in one line which gateway the tests of a summary file met, and what they left out for it.
func Summary(written string) string {
	var gateways, reasons []string
	skipped := map[string][]string{} // tests by reason
	for line := range strings.Lines(written) {
		line = strings.TrimSpace(line)
		if gateway, ok := strings.CutPrefix(line, summaryGateway); ok {
			gateways = append(gateways, gateway)
		}
		if rest, ok := strings.CutPrefix(line, summarySkipped); ok {
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
