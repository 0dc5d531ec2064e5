package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kube-sync/kube-sync/e2e/cases"
)

// TestCheck runs the cases of testdata/check: manifests, and the output of check.
func TestCheck(t *testing.T) {
	cases.Each(t, "testdata/check/*.txtar", func(t *testing.T, _ string, archive *txtar.Archive) {
		dir := t.TempDir()
		want := ""
		for _, f := range archive.Files {
			if f.Name == "findings" {
				want = string(f.Data)
			} else if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := call(t, "", "check", "-f", dir)
		if got := strings.ReplaceAll(r.out, dir+"/", ""); got != want || r.err != "" {
			t.Errorf("stderr %q, stdout:\n%swant:\n%s", r.err, got, want)
		}
		if faulty := strings.Count(want, "\n") > strings.Count(want, " warning: "); faulty != (r.code == exitError) || !faulty && r.code != exitOK {
			t.Errorf("exit code %d", r.code)
		}
		if r := call(t, "", "check", "-complete", "-f", dir); (r.code == exitError) != (want != "") || strings.Contains(r.out, "warning") {
			t.Errorf("-complete: exit code %d, stdout:\n%s", r.code, r.out)
		}
	})
}

func TestCheckReadsStandardInput(t *testing.T) {
	good := strings.Split(manifests, "---\napiVersion: apps")[0]
	if r := call(t, good, "check", "-f", "-"); r != (ran{}) {
		t.Errorf("good manifests: %+v", r)
	}
	r := call(t, strings.Replace(good, "number: 80", "number: 81", 1), "check", "-f", "-")
	if r.code != exitError || !strings.HasPrefix(r.out, "stdin:14: Ingress shop/web: ServicePortNotFound: ") {
		t.Errorf("a wrong port: %+v", r)
	}
	if r := call(t, asJSON(t), "check", "-f", "-"); r != (ran{}) {
		t.Errorf("JSON: %+v", r)
	}
}

// Files that cannot be read do not prevent the check of the others.
func TestCheckOfWhatCannotBeRead(t *testing.T) {
	wrong := write(t, "wrong.yaml", strings.Replace(manifests, "number: 80", "number: 81", 1))
	for name, path := range map[string]string{
		"no file":     "/no/such/file",
		"broken YAML": write(t, "broken.yaml", "a: [\n"),
	} {
		r := call(t, "", "check", "-f", path, "-f", wrong)
		if r.code != exitUsage || !strings.Contains(r.err, path) || !strings.Contains(r.out, "ServicePortNotFound") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
