package translate_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// FuzzAnything holds that no objects, whatever they say, have a translation panic, change
// anything of objects that have nothing to do with them, or make what Kong would refuse,
// but for what only Kong knows: the configurations of plugins and entities in its own words.
func FuzzAnything(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(someBytes(seed, 4000))
	}
	f.Fuzz(survive)
}

// survive has a graph take objects, and holds that nobody else is the worse for it.
func survive(t *testing.T, from []byte) {
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
	o.Tenancy.Isolated = len(from) > 0 && from[0]%2 == 1
	g := translate.New(o)
	g.Update(anything.Innocents()...)
	before := stateOf(g)
	g.Update(anything.Population()...)
	objects := anything.Objects(from)
	for _, c := range objects {
		g.Update(c)
	}
	wantUnchanged(t, g, before)
	wantTaken(t, g)
	wantNoEnvironment(t, g)

	// Some go again. What is left is what a translation of it from nothing gives.
	left := map[unit.Key]unit.Object{}
	for _, c := range slices.Concat(anything.Innocents(), anything.Population(), objects) {
		left[c.Key] = c.Object
	}
	for i, c := range objects {
		if i%3 == 0 {
			g.Update(unit.Change{Key: c.Key})
			delete(left, c.Key)
		}
	}
	fresh := translate.New(o)
	for key, object := range left { // in any order
		fresh.Update(unit.Change{Key: key, Object: object})
	}
	if diff := cmp.Diff(stateOf(fresh), stateOf(g)); diff != "" {
		t.Errorf("what is left differs from a translation of it:\n%s", diff)
	}
}

func someBytes(seed uint64, n int) []byte {
	source, bytes := rand.New(rand.NewPCG(seed, 42)), make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(source.Uint32())
	}
	return bytes
}

// wantTaken holds that the configuration is one that Kong takes, as far as is known of it
// here.
func wantTaken(t *testing.T, g *unit.Graph) {
	t.Helper()
	var entities []*kong.Entity
	for view := range g.Units() {
		entities = append(entities, view.Entities...)
	}
	body := kong.Declarative(kong.Sorted(entities))
	_, err := declarative.Read(withoutCustom(body), append(declarative.Bundled, ours...))
	refusal := (*declarative.Refusal)(nil)
	if err != nil && !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if refusal == nil {
		return
	}
	rows, _ := refusal.Flatten().Flattened.([]declarative.Refused)
	if len(rows) == 0 {
		t.Errorf("Kong would refuse it all: %v", err)
	}
	for _, row := range rows {
		text, _ := json.Marshal(row)
		if row.Type == "plugin" && (strings.Contains(string(text), "not enabled") || strings.Contains(string(text), `"config`)) {
			continue // its own object is told, in Kong's words
		}
		errors, _ := json.Marshal(row.Errors)
		t.Errorf("Kong would refuse %s of %.500s", errors, text)
	}
}

// ours are the plugins that this project brings.
var ours = []string{"kube-sync-http", "kube-sync-cors", "kube-sync-ports", "kube-sync-stream"}

// withoutCustom leaves out entities in Kong's own words.
func withoutCustom(body []byte) []byte {
	var tree map[string]any
	if json.Unmarshal(body, &tree) != nil {
		return body
	}
	for name := range tree {
		known := name == "_format_version"
		for _, t := range kong.Types {
			known = known || name == string(t)
		}
		if !known {
			delete(tree, name)
		}
	}
	left, _ := json.Marshal(tree)
	return left
}
