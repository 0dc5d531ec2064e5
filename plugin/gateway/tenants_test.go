package gateway

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// worlds is the number of pairs of namespaces: go test ./plugin/gateway -run TestTenantsOnKong
// -timeout 0 -args -worlds 2000.
var worlds = flag.Uint64("worlds", 40, "how many pairs of namespaces TestTenantsOnKong tries")

// TestTenantsOnKong checks on a real Kong what translate.FuzzTenants checks: Kong's entities of one
// namespace, and its refusals, are the same without, with and after the objects of another one. No
// worker dies.
func TestTenantsOnKong(t *testing.T) {
	k := startKongWithOwn(t)
	workers, compared := k.Workers(), 0
	for seed := range *worlds {
		compared += k.share(t, someBytes(5000+seed), someBytes(9_000_000+seed), seed%2 == 0)
		if now := k.Workers(); !slices.Equal(workers, now) {
			t.Fatalf("world %d: the workers were %v and are %v", seed, workers, now)
		}
		if t.Failed() {
			t.Fatalf("this was world %d", seed)
		}
	}
	if t.Logf("compared %d entities of victims", compared); compared < int(*worlds)*5 {
		t.Error("these are too few to hold anything")
	}
}

// share applies a victim's objects, then applies and removes an attacker's. It returns the number
// of the victim's entities in Kong.
func (k ownKong) share(t *testing.T, of, against []byte, older bool) int {
	t.Helper()
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
	o.Gateway.Relay.Address = netip.MustParseAddrPort("127.0.0.1:10264")
	graph, g := translate.New(o), New(k.admin, noRelay{})
	graph.Update(anything.Victims(of)...)
	refused := k.applyAll(t, g, graph, nil)
	before := k.victims(t, graph)
	attack := anything.Attack(against, older)
	same := func(when string, changes []unit.Change) {
		t.Helper()
		now := k.applyAll(t, g, graph, graph.Update(changes...).Units)
		if diff := cmp.Diff(refused, now); diff != "" {
			t.Errorf("%s other objects of the victim are refused:\n%s", when, diff)
		}
		if diff := cmp.Diff(before, k.victims(t, graph)); diff != "" {
			t.Errorf("%s Kong has other entities of the victim:\n%s", when, diff)
		}
	}
	half := len(attack) / 2
	same("with a half of the attack", attack[:half])
	same("with the attack", attack[half:])
	var gone []unit.Change
	for _, c := range attack {
		gone = append(gone, unit.Change{Key: c.Key})
	}
	same("after the attack", gone)
	return len(before)
}

// applyAll applies units and returns the victim's refusals.
func (k ownKong) applyAll(t *testing.T, g *Gateway, graph *unit.Graph, changed map[unit.ID]struct{}) (refused map[string]string) {
	t.Helper()
	outcome, err := applyPieces(t, g, graph, changed)
	if err != nil {
		t.Fatalf("%v, with refusals:\n%s", err, refusals(outcome))
	}
	refused = map[string]string{}
	for _, r := range outcome.Refusals {
		if r.Object.Namespace == anything.Victim {
			refused[r.Object.String()] = strings.Join(r.Messages, "; ")
		}
	}
	return refused
}

// victims returns Kong's entities of the victim's units, by type and id.
func (k ownKong) victims(t *testing.T, graph *unit.Graph) map[string]string {
	t.Helper()
	its := map[string]bool{}
	for view := range graph.Units() {
		if view.ID.Namespace == anything.Victim {
			for _, e := range view.Entities {
				its[string(e.Type)+" "+e.ID] = true
			}
		}
	}
	found := map[string]string{}
	for key, entity := range k.export(t) {
		if its[key] {
			found[key] = entity
		}
	}
	return found
}

// export returns all entities of Kong, by type and id, without their timestamps.
func (k ownKong) export(t *testing.T) map[string]string {
	t.Helper()
	var said struct{ Config string }
	if err := json.Unmarshal(getKong(t, k.admin, "/config"), &said); err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(said.Config), &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for kind, list := range tree {
		entities, _ := list.([]any)
		for _, one := range entities {
			entity, ok := one.(map[string]any)
			if !ok {
				continue
			}
			delete(entity, "created_at")
			delete(entity, "updated_at")
			var text bytes.Buffer
			if err := json.NewEncoder(&text).Encode(entity); err != nil {
				t.Fatal(err)
			}
			all[fmt.Sprint(kind, " ", entity["id"])] = text.String()
		}
	}
	return all
}
