package main

import (
	"bytes"
	"testing"

	"github.com/kube-sync/kube-sync/plugin/definitions"
)

// The embedded bundles have the definitions of the modules in go.mod.
func TestBundles(t *testing.T) {
	for bundle := range sources {
		want, err := manifestsOf(bundle)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := definitions.YAML(bundle); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s.yaml.gz differs from the definitions of the module (%v): run make generate", bundle, err)
		}
	}
}
