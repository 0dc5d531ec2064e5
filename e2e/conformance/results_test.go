package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// writeResults keeps the suite's report and the outcomes, with a page of both.
func writeResults(t *testing.T, report, outcomes string) {
	t.Helper()
	if err := os.MkdirAll(*out, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, source := range map[string]string{reportFile: report, outcomesFile: outcomes} {
		data, err := os.ReadFile(source)
		if err == nil {
			err = os.WriteFile(filepath.Join(*out, file), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	results, err := read(*out)
	if err == nil {
		err = os.WriteFile(filepath.Join(*out, pageFile), []byte(results.page()), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// read reads the results in a directory.
func read(dir string) (Results, error) {
	var r Results
	report, err := os.ReadFile(filepath.Join(dir, reportFile))
	if err != nil {
		return r, err
	}
	outcomes, err := os.ReadFile(filepath.Join(dir, outcomesFile))
	if err != nil {
		return r, err
	}
	if err := yaml.Unmarshal(report, &r.Report); err != nil {
		return r, err
	}
	return r, json.Unmarshal(outcomes, &r.Outcomes)
}
