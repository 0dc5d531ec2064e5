package main

import (
	"bytes"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/gomodule"
)

// The embedded definitions are those of the modules in go.mod.
func TestDefinitions(t *testing.T) {
	want, err := definitions()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := gomodule.ReadGzip("../definitions.json.gz"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("definitions.json.gz differs from the definitions of the modules (%v): run make generate", err)
	}
}
