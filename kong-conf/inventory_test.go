package kongconf_test

import (
	"bytes"
	"cmp"
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

// The words of the inventory for a feature of the Kong Ingress Controller.
const (
	same     = "same"
	better   = "better"
	notInOSS = "not in OSS"
	notHere  = "not here"
)

// inventory lists the features of the Kong Ingress Controller and their state in kube-sync.
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

// annotationRow has, by the kind of the annotated object, a value that changes the
// configuration. A mute annotation changes only verdicts and statuses.
type annotationRow struct {
	Name  string            `json:"name"`
	Title string            `json:"title"`
	With  map[string]string `json:"with"`
	On    map[string]string `json:"objects"`
	Mute  bool              `json:"mute"`
	Word  string            `json:"word"`
	How   string            `json:"how"`
}

type labelRow struct {
	Name string `json:"name"`
	// Type is the type of a credential.
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

// TestInventory compares inventory.md with its sources.
func TestInventory(t *testing.T) {
	page := pageOf(t, readInventory(t))
	if *update {
		if err := os.WriteFile("inventory.md", page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written := readFile(t, "inventory.md"); written != string(page) {
		t.Errorf("inventory.md differs from its sources; go test ./kong-conf -run TestInventory -update generates it")
	}
}

// row writes a row of one of the page's tables.
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
	b.WriteString(`# Features of the Kong Ingress Controller in kube-sync

Every kind, annotation, label and setting of the Kong Ingress Controller 3.5. *Same* means that kube-sync has it, *better* that it does more,
*not in OSS* that Kong's open source edition does not have it, and *not here* that kube-sync does not have it. A test generates this page from
[the inventory](testdata/kic-3.5.yaml) and compares it with the code: it puts each annotation on each of its objects, which has to
have the effect that is listed. [MIGRATION.md](../MIGRATION.md) says how to migrate.

## Kinds

| Kind | |
|---|---|
`)
	for _, k := range all.Kinds {
		row(t, b, fmt.Sprintf("%s (%s)", k.Kind, k.Group), k.Word, k.How)
	}
	b.WriteString("\n## Annotations\n\n| Annotation and its objects | |\n|---|---|\n")
	for _, a := range all.Annotations {
		title := cmp.Or(a.Title, a.Name)
		row(t, b, fmt.Sprintf("`%s`: %s", title, strings.Join(kindsOf(a), ", ")), a.Word, a.How)
	}
	b.WriteString("\n## Labels\n\n| Label | |\n|---|---|\n")
	for _, l := range all.Labels {
		row(t, b, "`"+l.Name+"`", l.Word, l.How)
	}
	b.WriteString("\n## Settings\n\nA setting `X` is `CONTROLLER_X` and `--x` there, and [one of three forms](../MIGRATION.md#settings) here. " +
		"A setting that is not *same* may\nhave a value that asks for what kube-sync does in any case. Any other value is an error with the text below.\n\n| Setting | |\n|---|---|\n")
	settingRows(t, b, all)
	b.WriteString("\n## Feature gates\n\n| Gate | |\n|---|---|\n")
	for _, g := range settings.FeatureGates() {
		word, how := better, "is always on: "+g.Why
		if g.AnyValue {
			word, how = notInOSS, g.Why
		}
		row(t, b, "`"+g.Name+"`", word, how)
	}
	return b.Bytes()
}

// kindsOf returns the kinds that have an annotation, in the order of the watched kinds.
func kindsOf(a annotationRow) []string {
	var on []string
	for _, kind := range kinds.All() {
		if _, ok := a.On[string(kind.Name)]; ok {
			on = append(on, string(kind.Name))
		}
	}
	return on
}

// settingRows writes the rows of the settings, from the tables by which settings are read.
func settingRows(t *testing.T, b *bytes.Buffer, all inventory) {
	t.Helper()
	table, used := map[string]settings.Setting{}, map[string]bool{}
	for _, s := range settings.Table() {
		table[s.Name] = s
	}
	var together []string // settings with one text
	for i, name := range all.Settings {
		f, foreign := settings.FindUnsupported(name)
		switch s, ok := table[name]; {
		case ok:
			row(t, b, "`"+name+"`", same, s.Doc)
		case name == "FEATURE_GATES":
			row(t, b, "`"+name+"`", better, "the features of all gates are on, as below")
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
			t.Errorf("the row %s of the settings' table has no setting in the inventory, or no word", f.Name)
		}
	}
}

// TestInventoryOfKinds checks that the kinds of the inventory are watched unless it says otherwise, and
// that every watched kind is in the inventory or newer.
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
