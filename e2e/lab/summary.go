package lab

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// summaryVariable names the file of the summary, which make test prints.
const summaryVariable = "KUBE_SYNC_E2E_SUMMARY"

// Prefixes of the summary's lines. The line of a skipped test goes on with its name and the reason.
const (
	summaryGateway = "gateway: "
	summarySkipped = "skipped: "
)

// Met adds the gateway of the tests to the summary.
func Met(t testing.TB, gateway string) {
	t.Helper()
	note(t, summaryGateway+gateway)
}

// Skip skips a test because of something that the gateway or the cluster lacks, and adds it to the summary.
func Skip(t testing.TB, reason string) {
	t.Helper()
	note(t, summarySkipped+t.Name()+": "+reason)
	t.Skip(reason)
}

// note adds a line to the summary, unless it has the line.
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

// Summary returns a summary file in one line: the gateway of the tests, and the tests that were skipped.
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
