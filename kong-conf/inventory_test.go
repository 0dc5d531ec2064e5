package kongconf_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// What an inventory says of a thing that the Kong Ingress Controller has.
const (
	same     = "same"
	better   = "better"
	notInOSS = "not in OSS"
	notHere  = "not here"
)

// inventory is what the Kong Ingress Controller has, and what becomes of it.
type inventory struct {
	Kinds       []kindRow         `json:"kinds"`
	Annotations []annotationRow   `json:"annotations"`
	Labels      []labelRow        `json:"labels"`
	Settings    []string          `json:"settings"`
	Foreign     map[string]string `json:"foreign"`
}

type kindRow struct {
	Kind      string `json:"kind"`
	Group     string `json:"group"`
	Unwatched bool   `json:"unwatched"`
	Word      string `json:"word"`
	How       string `json:"how"`
}

// annotationRow has, by the kind of the object that the annotation is on, a value that makes
// a difference to the configuration; of one that is mute it makes one to what is said.
type annotationRow struct {
	Name  string            `json:"name"`
	Shown string            `json:"shown"`
	With  map[string]string `json:"with"`
	On    map[string]string `json:"objects"`
	Mute  bool              `json:"mute"`
	Word  string            `json:"word"`
	How   string            `json:"how"`
}

type labelRow struct {
	Name string `json:"name"`
	// Type is that of a credential.
	Type string `json:"type"`
	Word string `json:"word"`
	How  string `json:"how"`
}

func readInventory(t *testing.T) inventory {
	t.Helper()
	var all inventory
	if err := yaml.UnmarshalStrict([]byte(readFile(t, "testdata/kic-3.5.yaml")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInventory holds inventory.md to what it is made of.
func TestInventory(t *testing.T) {
	page := pageOf(t, readInventory(t))
	if *update {
		if err := os.WriteFile("inventory.md", page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written := readFile(t, "inventory.md"); written != string(page) {
		t.Errorf("inventory.md differs; go test ./kong-conf -run TestInventory -update writes what it is now")
	}
}

// row is one of the page's tables.
func row(t *testing.T, b *bytes.Buffer, what, word, how string) {
	t.Helper()
	reasoned := word == better || word == notInOSS || word == notHere
	if !slices.Contains([]string{same, better, notInOSS, notHere}, word) || reasoned && how == "" {
		t.Errorf("%s is %q without a reason: %q", what, word, how)
	}
	cell := "*" + word + "*"
	if how != "" {
		cell += ": " + how
	}
	fmt.Fprintf(b, "| %s | %s |\n", what, strings.ReplaceAll(cell, "|", `\|`))
}

func pageOf(t *testing.T, all inventory) []byte {
	t.Helper()
	b := &bytes.Buffer{}
	b.WriteString(`# What the Kong Ingress Controller has, and what becomes of it

Every kind, annotation, label and setting of the Kong Ingress Controller 3.5: *same*, *better* and how, *not in OSS* where Kong's
open source edition does not have it, and *not here* where it is neither, with the reason. A test makes this page of
[the inventory](testdata/kic-3.5.yaml), and holds it to the code: each annotation is put on each of its objects, and has
to make the difference that is claimed. How to move is in [MIGRATION.md](../MIGRATION.md).

## Kinds

| Kind | |
|---|---|
`)
	for _, k := range all.Kinds {
		row(t, b, fmt.Sprintf("%s (%s)", k.Kind, k.Group), k.Word, k.How)
	}
	b.WriteString("\n## Annotations\n\n| Annotation, and the objects that it is on | |\n|---|---|\n")
	for _, a := range all.Annotations {
		shown := a.Shown
		if shown == "" {
			shown = a.Name
		}
		row(t, b, fmt.Sprintf("`%s`: %s", shown, strings.Join(kindsOf(a), ", ")), a.Word, a.How)
	}
	b.WriteString("\n## Labels\n\n| Label | |\n|---|---|\n")
	for _, l := range all.Labels {
		row(t, b, "`"+l.Name+"`", l.Word, l.How)
	}
	b.WriteString("\n## Settings\n\nA setting `X` is `CONTROLLER_X` and `--x` there, and here [one of three](../MIGRATION.md#settings). " +
		"Of those that are not *same*, values\nthat ask for what is so in any case are taken; any other is an error that says what is written here.\n\n| Setting | |\n|---|---|\n")
	settingRows(t, b, all)
	b.WriteString("\n## Feature gates\n\n| Gate | |\n|---|---|\n")
	for _, g := range settings.FeatureGates() {
		word, how := better, "on, and cannot be turned off: "+g.Why
		if g.AnyValue {
			word, how = notInOSS, g.Why
		}
		row(t, b, "`"+g.Name+"`", word, how)
	}
	return b.Bytes()
}

// kindsOf are the kinds that an annotation is on, in the order of those that are watched.
func kindsOf(a annotationRow) []string {
	var on []string
	for _, kind := range kinds.All() {
		if _, ok := a.On[string(kind.Name)]; ok {
			on = append(on, string(kind.Name))
		}
	}
	return on
}

// settingRows are of the settings, by the tables that the settings are read by.
func settingRows(t *testing.T, b *bytes.Buffer, all inventory) {
	t.Helper()
	table, used := map[string]settings.Setting{}, map[string]bool{}
	for _, s := range settings.Table() {
		table[s.Name] = s
	}
	var together []string // settings that there is one thing to say about
	for i, name := range all.Settings {
		f, foreign := settings.FindUnsupported(name)
		switch s, ok := table[name]; {
		case ok:
			row(t, b, "`"+name+"`", same, s.Doc)
		case name == "FEATURE_GATES":
			row(t, b, "`"+name+"`", better, "what gates are for is on, as below")
		case foreign:
			used[f.Name] = true
			together = append(together, "`"+name+"`")
			if next, more := settings.FindUnsupported(append(all.Settings, "")[i+1]); !more || next.Why != f.Why || all.Foreign[next.Name] != all.Foreign[f.Name] {
				row(t, b, strings.Join(together, ", "), all.Foreign[f.Name], f.Why)
				together = nil
			}
		default:
			t.Errorf("setting %s is in none of the tables", name)
		}
	}
	for _, f := range settings.UnsupportedSettings() {
		if all.Foreign[f.Name] == "" || !used[f.Name] && f.Name != "ADMISSION_WEBHOOK_*" {
			t.Errorf("the row %s of the settings' table is of no setting in the inventory, or without a word", f.Name)
		}
	}
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
			t.Errorf("%s is watched, and neither in the inventory nor newer", kind)
		}
	}
}

// Links of both pages lead to files that are there.
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
