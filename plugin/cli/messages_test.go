package cli

import (
	"go/ast"
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/plugin/internal/calls"
)

// TestMessagesAreForPeople checks that no code of this package reads a message: a check decides by the
// data of verdicts. The only regular expression matches names of fields with secrets.
func TestMessagesAreForPeople(t *testing.T) {
	var expressions []string
	for _, call := range calls.InDirectory(t) {
		switch call.Package {
		case "regexp":
			expressions = append(expressions, call.File)
		case "strings":
			if slices.ContainsFunc(call.Args, isMessage) {
				t.Errorf("%s: strings.%s reads a message", call.File, call.Function)
			}
		}
	}
	if want := []string{"redact.go"}; !slices.Equal(expressions, want) {
		t.Errorf("regular expressions are in %v, want them only in %v", expressions, want)
	}
}

// isMessage reports whether an argument is the message of a verdict or an error.
func isMessage(argument ast.Expr) bool {
	found := false
	ast.Inspect(argument, func(n ast.Node) bool {
		selected, ok := n.(*ast.SelectorExpr)
		found = found || ok && (selected.Sel.Name == "Message" || selected.Sel.Name == "Error")
		return !found
	})
	return found
}
