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

// FuzzAnything tests that no objects, whatever their content, make a translation panic, change
// unrelated objects, or result in a configuration that Kong would refuse. Configurations of plugins
// and custom entities are excluded: only Kong can check them.
func FuzzAnything(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(someBytes(seed, 4000))
	}
	f.Fuzz(survive)
}

// survive adds objects to a graph and removes some, and fails if that affects unrelated objects.
func survive(t *testing.T, from []byte) {
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
	o.Tenancy.Isolated = len(from) > 0 && from[0]%2 == 1
	g := translate.New(o)
	g.Update(anything.Bystanders()...)
	before := stateOf(g)
	g.Update(anything.Population()...)
	objects := anything.Objects(from)
	for _, c := range objects {
		g.Update(c)
	}
	wantUnchanged(t, g, before)
	wantTaken(t, g)
	wantNoEnvironment(t, g)

	// After some objects are deleted, the graph equals a new translation of the others.
	left := map[unit.Key]unit.Object{}
	for _, c := range slices.Concat(anything.Bystanders(), anything.Population(), objects) {
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
		t.Errorf("the graph differs from a new translation:\n%s", diff)
	}
}

func someBytes(seed uint64, n int) []byte {
	source, bytes := rand.New(rand.NewPCG(seed, 42)), make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(source.Uint32())
	}
	return bytes
}

// wantTaken fails if Kong would refuse the configuration, as far as its stand-in can tell.
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
		t.Errorf("Kong would refuse the whole configuration: %v", err)
	}
	for _, row := range rows {
		text, _ := json.Marshal(row)
		if row.Type == "plugin" && (strings.Contains(string(text), "not enabled") || strings.Contains(string(text), `"config`)) {
			continue // the gateway reports it on the plugin's object
		}
		errors, _ := json.Marshal(row.Errors)
		t.Errorf("Kong would refuse %s of %.500s", errors, text)
	}
}

// ours are the plugins of this project.
var ours = []string{"kube-sync-http", "kube-sync-cors", "kube-sync-ports", "kube-sync-stream"}

// withoutCustom returns the configuration without custom entities.
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
