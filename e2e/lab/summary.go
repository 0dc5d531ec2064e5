package lab

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab/summary"
)

// Met adds the gateway of the tests to the summary.
func Met(t testing.TB, gateway string) {
	t.Helper()
	note(t, summary.Gateway+gateway)
}

// Skip skips a test because of something that the gateway or the cluster lacks, and adds it to the summary.
func Skip(t testing.TB, reason string) {
	t.Helper()
	note(t, summary.Skipped+t.Name()+": "+reason)
	t.Skip(reason)
}

// note adds a line to the summary, unless it has the line.
func note(t testing.TB, line string) {
	t.Helper()
	path := os.Getenv(summary.Variable)
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
