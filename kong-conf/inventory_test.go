package kongconf_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

func readInventory(t *testing.T) generated.Inventory {
	t.Helper()
	all, err := generated.ReadInventory()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInventoryOfKinds holds that what is the same or better is watched, and that every kind
// that is watched is in the inventory or newer than it.
func TestInventoryOfKinds(t *testing.T) {
	newer := []string{"ListenerSet", "XListenerSet"}
	watched := map[string]string{}
	for _, kind := range kinds.All() {
		group := kind.Resource.Group
		if group == "" {
			group = "core"
		}
		watched[string(kind.Name)] = group
	}
	known := map[string]bool{}
	for _, k := range readInventory(t).Kinds {
		known[k.Kind] = true
		if got := watched[k.Kind]; !k.Unwatched && got != k.Group || k.Unwatched && got != "" {
			t.Errorf("%s of %s: watched in the group %q", k.Kind, k.Group, got)
		}
	}
	for kind := range watched {
		if !known[kind] && !slices.Contains(newer, kind) {
			t.Errorf("%s is watched, but neither in the inventory nor newer", kind)
		}
	}
}

// Links of both pages lead to existing files.
func TestPagesLinkToFiles(t *testing.T) {
	for _, page := range []string{"../MIGRATION.md", "inventory.md"} {
		for _, link := range linkPattern.FindAllStringSubmatch(readFile(t, page), -1) {
			target, _, _ := strings.Cut(link[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
