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
		warnings := strings.Count(want, " warning: ")
		summary := count(strings.Count(want, "\n")-warnings, "error") + ", " + count(warnings, "warning") + "\n"
		if got := strings.ReplaceAll(r.out, dir+"/", ""); got != want || !strings.HasSuffix(r.err, summary) {
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
	clean := ran{err: "2 objects, 0 errors, 0 warnings\n"}
	if r := call(t, good, "check", "-f", "-"); r != clean {
		t.Errorf("good manifests: %+v", r)
	}
	r := call(t, strings.Replace(good, "number: 80", "number: 81", 1), "check", "-f", "-")
	if r.code != exitError || !strings.HasPrefix(r.out, "stdin:14: Ingress shop/web: ServicePortNotFound: ") {
		t.Errorf("a wrong port: %+v", r)
	}
	if r := call(t, asJSON(t), "check", "-"); r != clean {
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

// A check of nothing must not pass.
func TestCheckOfNothing(t *testing.T) {
	for name, path := range map[string]string{
		"an empty file":                 write(t, "empty.yaml", ""),
		"an empty directory":            t.TempDir(),
		"a directory of Kustomize only": filepath.Dir(write(t, "kustomization.yaml", "resources: [a.yaml]\n")),
	} {
		if r := call(t, "", "check", path); r.code != exitUsage || !strings.Contains(r.err, "there are no manifests in "+path) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The commands in the examples' README find no errors, and a check of all examples names what differs.
func TestCheckOfExamples(t *testing.T) {
	t.Chdir("../..")
	readme, err := os.ReadFile("examples/README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for line := range strings.Lines(string(readme)) {
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "kube-sync check ")
		if !ok {
			continue
		}
		commands++
		if r := call(t, "", append([]string{"check"}, strings.Fields(args)...)...); r.code != exitOK || !strings.Contains(r.err, ", 0 errors, ") {
			t.Errorf("check %s: %+v", args, r)
		}
	}
	if commands != 2 {
		t.Errorf("the README has %d commands that check, want 2", commands)
	}
	r := call(t, "", "check", "-f", "examples")
	for _, want := range []string{"objects are in more than one file", "check examples/cluster and examples/local one at a time", "-allow-loopback-backends"} {
		if r.code != exitError || !strings.Contains(r.err, want) {
			t.Errorf("a check of all examples ends with %d and %q, want %q", r.code, r.err, want)
		}
	}
	local := call(t, "", "check", "examples/local")
	if local.code != exitError || !strings.Contains(local.out, "may not be in the loopback range") || !strings.Contains(local.err, "-allow-loopback-backends") {
		t.Errorf("a check of local examples as for a cluster: %+v", local)
	}
}

// Files are named with or without -f, before and after flags.
func TestCheckOfFiles(t *testing.T) {
	wrong := write(t, "wrong.yaml", strings.Replace(manifests, "number: 80", "number: 81", 1))
	want := call(t, "", "check", "-complete", "-f", wrong)
	for _, args := range [][]string{{"check", wrong, "-complete"}, {"check", "-complete", wrong}} {
		if r := call(t, "", args...); r != want || r.code != exitError {
			t.Errorf("%v: %+v, want %+v", args, r, want)
		}
	}
}

// What may be intended is a warning even if the manifests are complete.
func TestCheckOfOtherControllers(t *testing.T) {
	nginx := strings.Replace(strings.Split(manifests, "---\napiVersion: apps")[0], "namespace: shop}\n  spec:\n    ingress",
		"namespace: shop,\n      annotations: {nginx.ingress.kubernetes.io/limit-rps: '5'}}\n  spec:\n    ingress", 1)
	nginx = strings.Replace(nginx, "{path: /, pathType: Prefix,", "{path: /api/(.*), pathType: ImplementationSpecific,", 1)
	want := ran{out: "stdin:8: warning: Ingress shop/web: ForeignAnnotation: annotation nginx.ingress.kubernetes.io/limit-rps is for ingress-nginx and has no effect; " +
		"use a KongPlugin with the plugin rate-limiting and the annotation konghq.com/plugins\n" +
		"stdin:15: warning: Ingress shop/web: LiteralPath: rule 0 path 0 (a.example/api/(.*)): the path looks like a regular expression, but it is compared literally; " +
		"to make it one, use the path /~/api/(.*)\n", err: "2 objects, 0 errors, 2 warnings\n"}
	for _, args := range [][]string{{"check", "-"}, {"check", "-", "-complete"}} {
		if r := call(t, nginx, args...); r != want {
			t.Errorf("%v: %+v, want %+v", args, r, want)
		}
	}
}
