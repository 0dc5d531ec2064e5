package generated

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// Words of the inventory for something that the Kong Ingress Controller has.
const (
	Same     = "same"
	Better   = "better"
	NotInOSS = "not in OSS"
	NotHere  = "not here"
)

// Inventory lists the features of the Kong Ingress Controller and their state in kube-sync.
type Inventory struct {
	Kinds       []KindRow         `json:"kinds"`
	Annotations []AnnotationRow   `json:"annotations"`
	Labels      []LabelRow        `json:"labels"`
	Settings    []string          `json:"settings"`
	Foreign     map[string]string `json:"foreign"`
}

// KindRow is a kind, and the API group that it is read in.
type KindRow struct {
	Kind      string `json:"kind"`
	Group     string `json:"group"`
	Unwatched bool   `json:"unwatched"`
	Word      string `json:"word"`
	How       string `json:"how"`
}

// AnnotationRow has, by the kind of the object that the annotation is on, a value that changes
// the configuration, or only the diagnostics if it is mute.
type AnnotationRow struct {
	Name  string            `json:"name"`
	Title string            `json:"title"`
	With  map[string]string `json:"with"`
	On    map[string]string `json:"objects"`
	Mute  bool              `json:"mute"`
	Word  string            `json:"word"`
	How   string            `json:"how"`
}

// LabelRow is a label.
type LabelRow struct {
	Name string `json:"name"`
	// Type is the type of a credential.
	Type string `json:"type"`
	Word string `json:"word"`
	How  string `json:"how"`
}

// ReadInventory reads the inventory. kong-conf has to be the working directory.
func ReadInventory() (all Inventory, err error) {
	content, err := os.ReadFile("testdata/kic-3.5.yaml")
	if err != nil {
		return all, err
	}
	err = yaml.UnmarshalStrict(content, &all)
	return all, err
}

// page is the page of the inventory in the making.
type page struct {
	bytes.Buffer
	errs []error
}

// row adds a row to a table.
func (p *page) row(what, word, how string) {
	reasoned := word == Better || word == NotInOSS || word == NotHere
	if !slices.Contains([]string{Same, Better, NotInOSS, NotHere}, word) || reasoned && how == "" {
		p.errs = append(p.errs, fmt.Errorf("%s is %q without a reason: %q", what, word, how))
	}
	cell := "*" + word + "*"
	if how != "" {
		cell += ": " + how
	}
	fmt.Fprintf(p, "| %s | %s |\n", what, strings.ReplaceAll(cell, "|", `\|`))
}

// inventoryFile generates the page of the inventory.
func (f files) inventoryFile() error {
	all, err := ReadInventory()
	if err != nil {
		return err
	}
	p := &page{}
	p.WriteString(`# Features of the Kong Ingress Controller in kube-sync

Every kind, annotation, label and setting of the Kong Ingress Controller 3.5. *Same* means that kube-sync has it, *better* that it does more,
*not in OSS* that Kong's open source edition does not have it, and *not here* that kube-sync does not have it. "make generate" writes this page from
[the inventory](testdata/kic-3.5.yaml). A test compares it with the code: it puts each annotation on each of its objects, which has to
have the effect that is listed. [MIGRATION.md](../MIGRATION.md) says how to migrate.

## Kinds

| Kind | |
|---|---|
`)
	for _, k := range all.Kinds {
		p.row(fmt.Sprintf("%s (%s)", k.Kind, k.Group), k.Word, k.How)
	}
	p.WriteString("\n## Annotations\n\n| Annotation and its objects | |\n|---|---|\n")
	for _, a := range all.Annotations {
		title := cmp.Or(a.Title, a.Name)
		p.row(fmt.Sprintf("`%s`: %s", title, strings.Join(kindsOf(a), ", ")), a.Word, a.How)
	}
	p.WriteString("\n## Labels\n\n| Label | |\n|---|---|\n")
	for _, l := range all.Labels {
		p.row("`"+l.Name+"`", l.Word, l.How)
	}
	p.WriteString("\n## Settings\n\nA setting `X` is `CONTROLLER_X` and `--x` there, and [one of three forms](../MIGRATION.md#settings) here. " +
		"A setting that is not *same* may\nhave a value that asks for what kube-sync does in any case. Any other value is an error with the text below.\n\n| Setting | |\n|---|---|\n")
	p.settingRows(all)
	p.WriteString("\n## Feature gates\n\n| Gate | |\n|---|---|\n")
	for _, g := range settings.FeatureGates() {
		word, how := Better, "is always on: "+g.Why
		if g.AnyValue {
			word, how = NotInOSS, g.Why
		}
		p.row("`"+g.Name+"`", word, how)
	}
	f["inventory.md"] = p.String()
	return errors.Join(p.errs...)
}

// kindsOf are the kinds that an annotation is on, in the order of those that are watched.
func kindsOf(a AnnotationRow) []string {
	var on []string
	for _, kind := range kinds.All() {
		if _, ok := a.On[string(kind.Name)]; ok {
			on = append(on, string(kind.Name))
		}
	}
	return on
}

// settingRows adds the settings, with what the tables of package settings say about them.
func (p *page) settingRows(all Inventory) {
	table, used := map[string]settings.Setting{}, map[string]bool{}
	for _, s := range settings.Table() {
		table[s.Name] = s
	}
	var together []string // unsupported settings with the same reason
	for i, name := range all.Settings {
		f, foreign := settings.FindUnsupported(name)
		switch s, ok := table[name]; {
		case ok:
			p.row("`"+name+"`", Same, s.Doc)
		case name == "FEATURE_GATES":
			p.row("`"+name+"`", Better, "the features of all gates are on, as below")
		case foreign:
			used[f.Name] = true
			together = append(together, "`"+name+"`")
			if next, more := settings.FindUnsupported(append(all.Settings, "")[i+1]); !more || next.Why != f.Why || all.Foreign[next.Name] != all.Foreign[f.Name] {
				p.row(strings.Join(together, ", "), all.Foreign[f.Name], f.Why)
				together = nil
			}
		default:
			p.errs = append(p.errs, fmt.Errorf("setting %s is in none of the tables", name))
		}
	}
	for _, f := range settings.UnsupportedSettings() {
		if all.Foreign[f.Name] == "" || !used[f.Name] && f.Name != "ADMISSION_WEBHOOK_*" {
			p.errs = append(p.errs, fmt.Errorf("unsupported setting %s: the inventory has no setting or no word for it", f.Name))
		}
	}
}
