package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The pages are those that the code makes.
func TestPages(t *testing.T) {
	for file, content := range pages {
		want, err := content("../../..")
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s differs; run make generate:\n%s", file, diff)
		}
	}
}
