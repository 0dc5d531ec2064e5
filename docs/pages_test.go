package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// notRun are the reasons for which a block may be left out.
var notRun = []string{
	"needs a container engine",
	"needs a cloud",
	"needs another machine",
	"needs the Kong Ingress Controller",
	"forwards a port, which pods without containers do not have",
	"runs a command in a container, which pods without containers do not have",
	"is the default already",
	"is part of a file",
}

// registry is the one that the pages push the image to.
const registry = "registry.example.com/kong-kube-sync"

func TestMain(m *testing.M) {
	lab.Main(m, append(pod.Programs,
		lab.Program{Image: "kubectl", Package: "github.com/kube-sync/kube-sync/e2e/kubectl"},
		lab.Program{Image: "helm", Package: "helm.sh/helm/v3/cmd/helm"},
		lab.EchoBasic, lab.CoreDNS)...)
}

// TestPages runs the pages with one cluster, as a reader would who follows all of them.
func TestPages(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs the gateway itself")
	}
	pod.NeedPlugins(t)
	for _, program := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			lab.Skip(t, "needs "+program+" on PATH")
		}
	}
	cp := lab.StartControlPlane(t)
	pod.AddImageAs(t, cp, registry)
	s := newShell(t, cp)
	for _, page := range pages(t) {
		if ok := t.Run(strings.TrimSuffix(page, ".md"), func(t *testing.T) { s.run(t, page) }); !ok && page == "quick-start.md" {
			t.Fatal("the other pages need the gateway of this one")
		}
	}
}

// pages returns the names of all pages, in the order of nav.json. A page that is missing there is an error.
func pages(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("nav.json")
	if err != nil {
		t.Fatal(err)
	}
	var sections []struct {
		Pages []struct{ File string }
	}
	if err := json.Unmarshal(raw, &sections); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, section := range sections {
		for _, page := range section.Pages {
			all = append(all, page.File)
		}
	}
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, deeper...) {
		if !slices.Contains(all, file) && !strings.HasPrefix(file, "node_modules/") {
			t.Errorf("%s is not in nav.json", file)
		}
	}
	return all
}

// block is a fenced block of a page.
type block struct {
	line           int
	language, text string
	notRun         string // the reason, "" if it is to be run
	fails          bool   // its last command has to fail
}

var (
	fence  = regexp.MustCompile("^(\\s*)```(\\w*)")
	reason = regexp.MustCompile(`^\s*<!-- not run: (.*) -->$`)
	fails  = regexp.MustCompile(`^\s*<!-- fails -->$`)
)

func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	why, indent, failing := "", "", false
	for i, line := range strings.Split(string(raw), "\n") {
		mark := fence.FindStringSubmatch(line)
		switch {
		case open != nil && mark != nil:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case mark != nil:
			indent = mark[1]
			open = &block{line: i + 1, language: mark[2], notRun: why, fails: failing}
			why, failing = "", false
		case fails.MatchString(line):
			failing = true
		case reason.MatchString(line):
			why = reason.FindStringSubmatch(line)[1]
			if !slices.Contains(notRun, why) {
				t.Errorf("%s:%d: %q is not a reason to leave a block out", page, i+1, why)
			}
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block has no end", page, open.line)
	}
	return all
}

// shell runs blocks, one bash for each, which inherits the exported variables of the one before.
type shell struct {
	dir string // has the executables, the variables and the values of the lab
	env []string
}

func newShell(t *testing.T, cp *lab.ControlPlane) *shell {
	t.Helper()
	s := &shell{dir: t.TempDir()}
	values := filepath.Join(s.dir, "values.yaml")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The lab has no DNS, by which pods find the API server.
	write("values.yaml", fmt.Sprintf("settings: {apiserverHost: %q}\n", pod.APIServer(t, cp)))
	write("kubectl", "#!/bin/sh\nexec "+lab.Executable(t, "kubectl")+" \"$@\"\n")
	write("kube-sync", "#!/bin/sh\nexec "+lab.Executable(t, pod.KubeSync)+" \"$@\"\n")
	write("helm", fmt.Sprintf("#!/bin/sh\ncase $1 in install|upgrade) exec %[1]s \"$@\" -f %[2]s;; esac\nexec %[1]s \"$@\"\n", lab.Executable(t, "helm"), values))
	write("variables", "")
	s.env = append(os.Environ(), "PATH="+s.dir+":"+os.Getenv("PATH"), "KUBECONFIG="+cp.Kubeconfig, "HOME="+s.dir, "LC_ALL=C.UTF-8")
	return s
}

// bash runs a script in the repository's directory.
func (s *shell) bash(ctx context.Context, script string) (stdout, stderr string, err error) {
	variables := filepath.Join(s.dir, "variables")
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", "source "+variables+"\n"+script+"\nexport -p > "+variables+"\n")
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = "..", s.env, &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func (s *shell) run(t *testing.T, page string) {
	t.Helper()
	all := blocks(t, page)
	for i, b := range all {
		var wanted *block
		if i+1 < len(all) && isOutput(all[i+1]) {
			wanted = &all[i+1]
		}
		switch {
		case b.notRun != "":
			t.Logf("%s:%d: not run: %s", page, b.line, b.notRun)
		case b.language == "sh":
			s.runBlock(t, page, b, wanted)
		case b.language == "yaml":
			s.accept(t, page, b)
		case isOutput(b):
			if i == 0 || all[i-1].language != "sh" {
				t.Errorf("%s:%d: output of no command", page, b.line)
			}
		case b.language != "":
			t.Errorf("%s:%d: %q is not a language that the tests know", page, b.line, b.language)
		}
		if t.Failed() {
			return
		}
	}
}

// isOutput reports whether a block is what a command prints.
func isOutput(b block) bool { return b.language == "text" || b.language == "json" }

func (s *shell) runBlock(t *testing.T, page string, b block, wanted *block) {
	t.Helper()
	var pattern *regexp.Regexp
	if wanted != nil && wanted.notRun == "" {
		pattern = expected(wanted.text)
	}
	eventually.Nil(t, time.Minute, func() error {
		out, errs, err := s.bash(t.Context(), b.text)
		switch {
		case err != nil && pattern == nil && !b.fails:
			t.Fatalf("%s:%d: %v\n%s\n%s%s", page, b.line, err, b.text, out, errs)
		case b.fails && err == nil:
			return fmt.Errorf("%s:%d: this succeeds, but the page says that it fails:\n%s\n%s%s", page, b.line, b.text, out, errs)
		case !b.fails && err != nil:
			return fmt.Errorf("%s:%d: %w\n%s\n%s%s", page, b.line, err, b.text, out, errs)
		case pattern != nil && !pattern.MatchString(clean(out)):
			return fmt.Errorf("%s:%d: %s\nprints (%v)\n%s%s\nnot\n%s", page, b.line, b.text, err, out, errs, wanted.text)
		}
		return nil
	})
}

// accept has the API server validate a manifest.
func (s *shell) accept(t *testing.T, page string, b block) {
	t.Helper()
	if _, errs, err := s.bash(t.Context(), "kubectl apply --dry-run=server -f - <<'MANIFEST'\n"+b.text+"MANIFEST\n"); err != nil {
		t.Errorf("%s:%d: %v: %s", page, b.line, err, errs)
	}
}

// expected returns an expression for an output. A line of "…" stands for any lines, elsewhere "…" is any part of a line.
func expected(text string) *regexp.Regexp {
	var pattern strings.Builder
	for line := range strings.Lines(clean(text)) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*"))
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`)
}

// TestOutputsSaySomething holds that each output has a line that not every output matches.
func TestOutputsSaySomething(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if isOutput(b) && strings.Trim(b.text, "… \t\n") == "" {
				t.Errorf("%s:%d: any output matches this one", page, b.line)
			}
		}
	}
}

// clean drops what no reader sees: carriage returns, blanks before ends of lines, and empty lines around the text.
func clean(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(line, " \t\r\n"))
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// TestLinks holds that each link within the repository leads to a file, and each anchor to a heading.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range append(pages(t), "../README.md", "../SECURITY.md", "../MIGRATION.md", "../CONTRIBUTING.md") {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(raw), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: link to %s: %v", page, found[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(t, file), anchor) {
				t.Errorf("%s: no heading in %s has the anchor %s", page, file, anchor)
			}
		}
	}
}

// anchors returns those of a page's headings, as GitHub makes them.
func anchors(t *testing.T, page string) (all []string) {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)
	for line := range strings.Lines(string(raw)) {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			text := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			all = append(all, strings.ReplaceAll(text, " ", "-"))
		}
	}
	return all
}
