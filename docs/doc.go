// Package docs is the manual. Its tests run the commands of the pages, in the order of nav.json, against a Kubernetes
// control plane and Kong.
//
// A block of the language sh is run by bash. A block of the language text or json after it is the output to expect, in
// which "…" stands for anything; the command is repeated until that is its output. A block of the language yaml is a
// manifest that the API server must accept. A comment
//
//	<!-- not run: REASON -->
//
// before a block leaves it out, for the reasons that pages_test.go lists and for no others. All commands of a block have to
// succeed, unless the comment
//
//	<!-- fails -->
//
// is before it: then its last command has to fail. An output of only "…" is an error.
package docs

//go:generate sh -c "cd reference && go run ./generate"
