package attacks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// root is the repository.
const root = "../../.."

// TestSecurityPage holds SECURITY.md to the tests: every test, golden file and attack that
// it names exists, and it names every attack.
func TestSecurityPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	exists := testsAndGoldens(t)
	for _, name := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*|[A-Za-z0-9-]+\\.txtar)`").FindAllStringSubmatch(string(text), -1) {
		if !exists[name[1]] {
			t.Errorf("SECURITY.md names %s, which does not exist", name[1])
		}
	}
	s := &servers{ca: testcert.Authority(nil, "CA"), strangerCA: testcert.Authority(nil, "another CA")}
	all := map[string]bool{}
	for _, a := range slices.Concat(shared(s), isolated(), hostsOfOthers()) {
		all[a.name] = true
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 2 || !strings.Contains(cells[1], "`TestTenants") || strings.Contains(cells[1], "`FuzzTenants`") {
			continue
		}
		for attack := range strings.SplitSeq(cells[0], ";") {
			attack = strings.TrimSpace(attack)
			if named[attack] = true; !all[attack] {
				t.Errorf("SECURITY.md names the attack %q, which does not exist", attack)
			}
		}
	}
	for name := range all {
		if !named[name] {
			t.Errorf("SECURITY.md does not name the attack %q", name)
		}
	}
}

// testsAndGoldens returns the names of all test functions and golden files of the repository.
func testsAndGoldens(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(path, ".txtar"):
			names[entry.Name()] = true
		case strings.HasSuffix(path, "_test.go"):
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, declaration := range file.Decls {
				if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
					names[function.Name.Name] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
