package translate_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

const (
	// honest is the number of objects of each kind in the honest namespace.
	honest = 60
	// handful is the maximum number of units of other namespaces that a change may translate again:
	// the operator's Gateways, and units that guard a reverse look-up.
	handful = 12
)

// TestReach tests that a change of one object, whatever its kind, translates at most a handful of
// units of other namespaces again, however many objects those have, and changes none of their
// entities. The objects of testdata/reach attack what others use.
func TestReach(t *testing.T) {
	for _, isolated := range []bool{false, true} {
		t.Run(fmt.Sprintf("isolated=%v", isolated), func(t *testing.T) {
			g := reachable(t, isolated)
			aimed := map[unit.Kind]bool{}
			for _, m := range documents(t, "attacker.yaml") {
				aimed[m.Key.Kind] = true
				reaches(t, g, m)
				again := m.Object.DeepCopyObject().(unit.Object)
				again.SetAnnotations(merged(again.GetAnnotations(), "example.com/changed", "yes"))
				reaches(t, g, unit.Change{Key: m.Key, Object: again})
				reaches(t, g, unit.Change{Key: m.Key})
			}
			for _, kind := range kinds.All() {
				if kind.Namespaced && !aimed[kind.Name] {
					t.Errorf("testdata/reach has no attack by a %s", kind.Name)
				}
			}
		})
	}
}

// TestReachOfAnything is TestReach for objects with random content, which replace each other.
func TestReachOfAnything(t *testing.T) {
	g := reachable(t, false)
	for seed := range uint64(40) {
		for _, c := range anything.Attack(someBytes(seed, 3000), true) {
			reaches(t, g, c)
		}
	}
}

// reaches applies a change and fails if it translates too much in other namespaces.
func reaches(t *testing.T, g *unit.Graph, c unit.Change) {
	t.Helper()
	result := g.Update(c)
	for namespace, units := range result.Translated {
		if namespace != c.Key.Namespace && units > handful {
			t.Errorf("%s translated %d units of namespace %q again, want at most %d", c.Key, units, namespace, handful)
		}
	}
	for id := range result.Units {
		if id.Namespace == anything.Victim {
			t.Errorf("%s changed the entities of %s", c.Key, id)
		}
	}
}

func merged(annotations map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for n, v := range annotations {
		all[n] = v
	}
	return all
}

// reachable returns a graph with an operator's objects and many objects of an honest namespace.
func reachable(t *testing.T, isolated bool) *unit.Graph {
	t.Helper()
	o := translate.Options{IngressClass: "kong"}
	o.Tenancy.Isolated = isolated
	o.Gateway.Pool = gatewayapi.Pool{}
	for port := range int32(200) {
		o.Gateway.Pool[gatewayv1.HTTPProtocolType] = append(o.Gateway.Pool[gatewayv1.HTTPProtocolType], 20000+port)
	}
	o.Gateway.Ports = map[gatewayv1.ProtocolType][]int32{gatewayv1.TCPProtocolType: {9000}, gatewayv1.UDPProtocolType: {9001}, gatewayv1.TLSProtocolType: {9002}}
	g := translate.New(o)
	g.Update(documents(t, "operator.yaml")...)
	each := string(reachFile(t, "honest.yaml"))
	for i := range honest {
		numbered := strings.NewReplacer("NUMBER", fmt.Sprint(i), "PORT", fmt.Sprint(20100+i))
		g.Update(read(t, numbered.Replace(each))...)
	}
	for _, kind := range []unit.Kind{unit.Ingress, unit.HTTPRoute, unit.KongConsumer} {
		for i := range honest {
			key := kind.Key(anything.Victim, fmt.Sprint("shop-", i))
			if _, ok := g.Source(key); !ok {
				t.Fatalf("%s has no entities: %v", key, g.Verdicts(key))
			}
		}
	}
	return g
}

func documents(t *testing.T, name string) []unit.Change {
	t.Helper()
	return read(t, string(reachFile(t, name)))
}

func reachFile(t *testing.T, name string) []byte {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/reach/objects.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return section(archive, name)
}

func read(t *testing.T, manifests string) (changes []unit.Change) {
	t.Helper()
	all, err := manifest.Read("input.yaml", bytes.NewReader([]byte(manifests)), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all.Objects {
		changes = append(changes, unit.Change{Key: m.Key, Object: m.Object})
	}
	return changes
}
