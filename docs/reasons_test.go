package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/watch/kinds"
)

// otherWords are words of the code that look like reasons and are not: features, types of conditions, values of fields.
var otherWords = []string{
	"PartiallyInvalid", "InsecureFrontendValidationMode", "EdDSA", "CustomResourceDefinition", "At",
}

// suffix follows a kind in the reasons of missing objects that several kinds may be.
const suffix = "NotFound"

// TestReasons holds reference/reasons.md to the reasons that the code has.
func TestReasons(t *testing.T) {
	raw, err := os.ReadFile("reference/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)`").FindAllStringSubmatch(string(raw), -1) {
		if slices.Contains(documented, row[1]) {
			t.Errorf("%s is documented twice", row[1])
		}
		documented = append(documented, row[1])
	}
	used := reasonsOfCode(t)
	for _, reason := range used {
		if !slices.Contains(documented, reason) {
			t.Errorf("%s is not documented", reason)
		}
	}
	for _, reason := range documented {
		if !slices.Contains(used, reason) {
			t.Errorf("%s is documented, and nothing has that reason", reason)
		}
	}
}

var (
	// word is what a reason looks like.
	word = regexp.MustCompile(`^[A-Z][a-z]+([A-Z]+[a-z]+)+$|^TLSVerifyNotSupported$|^CACertificatesMissing$|^(Deprecated|Pending|Invalid)$`)
	// constant is the name of a reason in the modules of Gateway API and of Kong's kinds.
	constant = regexp.MustCompile(`^(?:[A-Za-z]*)Reason([A-Z][A-Za-z]+)$`)
)

// reasonsOfCode returns the strings in reports on objects that look like reasons.
func reasonsOfCode(t *testing.T) (all []string) {
	t.Helper()
	add := func(reason string) {
		if reason == suffix {
			reason = "ConfigMap" + suffix
		}
		if !slices.Contains(all, reason) && !slices.Contains(otherWords, reason) && !isKind(reason) {
			all = append(all, reason)
		}
	}
	for _, dir := range []string{"../translate", "../watch/report", "../watch/cluster", "../plugin/agent"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "/gatewayclass/features") || strings.Contains(path, "/kong/") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && word.MatchString(text) {
						add(text)
					}
				case *ast.SelectorExpr:
					if found := constant.FindStringSubmatch(n.Sel.Name); found != nil {
						add(found[1])
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func isKind(name string) bool {
	return slices.ContainsFunc(kinds.All(), func(k kinds.Kind) bool { return string(k.Name) == name })
}
