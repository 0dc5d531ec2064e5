package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/gateway-api/pkg/features"
	"sigs.k8s.io/yaml"
)

// TestEveryFeatureIsClaimedOrHasAReason: nothing of Gateway API is left out without a word.
func TestEveryFeatureIsClaimedOrHasAReason(t *testing.T) {
	known := features.SetsToNamesSet(features.AllFeatures)
	for f := range known {
		isClaimed, hasReason := slices.Contains(claimed(), f), reasons[f] != ""
		switch {
		case mesh(f) && (isClaimed || hasReason):
			t.Errorf("%s is a feature of service meshes", f)
		case isClaimed && hasReason:
			t.Errorf("%s is claimed, and there is a reason not to", f)
		case !mesh(f) && !isClaimed && !hasReason:
			t.Errorf("%s is not claimed, and there is no reason", f)
		}
	}
	for _, f := range claimed() {
		if !known.Has(f) {
			t.Errorf("%s is claimed, and Gateway API knows no such feature", f)
		}
	}
	for f := range reasons {
		if !known.Has(f) {
			t.Errorf("there is a reason not to claim %s, and Gateway API knows no such feature", f)
		}
	}
}

// writeResults keeps the suite's report and the outcomes, with a page of both.
func writeResults(t *testing.T, report, outcomes string) {
	t.Helper()
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
