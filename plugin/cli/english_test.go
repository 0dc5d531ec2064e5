package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMessagesAreForPeople holds that no code of this package looks into a message: what a check
// decides follows from the data of a verdict. The only expression is for names of fields with
// secrets.
func TestMessagesAreForPeople(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	var expressions []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			function, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := function.X.(*ast.Ident); ok && from.Name == "regexp" {
				expressions = append(expressions, file)
			} else if ok && from.Name == "strings" && slices.ContainsFunc(call.Args, isMessage) {
				t.Errorf("%s: strings.%s looks into a message", file, function.Sel.Name)
			}
			return true
		})
	}
	if want := []string{"redact.go"}; !slices.Equal(expressions, want) {
		t.Errorf("regular expressions in %v, want them in %v alone", expressions, want)
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
