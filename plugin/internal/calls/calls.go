// Package calls lists function calls in source files, for tests of what code may do.
package calls

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Call is a call such as strings.Contains(a, b).
type Call struct {
	File              string // base name
	Package, Function string
	Args              []ast.Expr
}

// InDirectory returns the calls of the form package.Function() in the current directory's Go files,
// except for its tests.
func InDirectory(t testing.TB) (all []Call) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for n := range ast.Preorder(parsed) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				continue
			}
			if function, ok := call.Fun.(*ast.SelectorExpr); ok {
				if from, ok := function.X.(*ast.Ident); ok {
					all = append(all, Call{file, from.Name, function.Sel.Name, call.Args})
				}
			}
		}
	}
	return all
}

// ReadsMessage reports whether an argument is a message of Kong, by its name.
func ReadsMessage(call Call) bool {
	return slices.ContainsFunc(call.Args, func(e ast.Expr) bool {
		name := ""
		switch e := e.(type) {
		case *ast.Ident:
			name = e.Name
		case *ast.SelectorExpr:
			name = e.Sel.Name
		}
		return slices.Contains([]string{"message", "Message", "Messages", "text"}, name)
	})
}
