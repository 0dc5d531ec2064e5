package kongconf_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

var linkPattern = regexp.MustCompile(`\]\(([^)]+)\)`)

// translated is the result of the translation of a world.
type translated struct {
	config  string
	said    map[unit.Key]string // by object: verdicts that are not OK, and its status
	objects map[unit.Key]unit.Object
}

// world translates the objects of testdata/world.yaml. The function may change each of them first.
func world(t *testing.T, change func(unit.Key, unit.Object)) translated {
	t.Helper()
	read, err := manifest.Read("world.yaml", strings.NewReader(readFile(t, "testdata/world.yaml")), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Front = types.NamespacedName{Namespace: "kong", Name: "kong-proxy"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000}, gatewayv1.HTTPSProtocolType: {20001},
		gatewayv1.TCPProtocolType: {20002}, gatewayv1.UDPProtocolType: {20003}, gatewayv1.TLSProtocolType: {20004}}
	graph := translate.New(o)
	w := translated{said: map[unit.Key]string{}, objects: map[unit.Key]unit.Object{}}
	for _, m := range read.Objects {
		change(m.Key, m.Object)
		w.objects[m.Key] = m.Object
		graph.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	var entities []*kong.Entity
	for view := range graph.Units() {
		entities = append(entities, view.Entities...)
	}
	w.config = string(kong.Declarative(kong.Sorted(entities)))
	for key, verdicts := range graph.AllVerdicts() {
		for _, v := range verdicts {
			if !v.OK {
				w.said[key] += v.Reason + ": " + v.Message + "\n"
			}
		}
	}
	for key, status := range graph.Statuses() {
		whole, _ := status.Merge(graph.Object(key), unit.Moment{Addresses: []string{"192.0.2.1"}})
		w.said[key] += fmt.Sprintf("%+v %v\n", whole, graph.Owned(key))
	}
	return w
}

// annotated returns a function that adds annotations to the first object of a kind.
func annotated(kind string, annotations ...map[string]string) func(unit.Key, unit.Object) {
	done := false
	return func(key unit.Key, object unit.Object) {
		if string(key.Kind) != kind || done {
			return
		}
		done = true
		all := map[string]string{}
		for _, some := range append([]map[string]string{object.GetAnnotations()}, annotations...) {
			maps.Copy(all, some)
		}
		object.SetAnnotations(all)
	}
}

// TestInventoryOfAnnotations puts each annotation on each of its objects. It has to change the
// configuration or, if the inventory says that, only the verdicts.
func TestInventoryOfAnnotations(t *testing.T) {
	for _, a := range readInventory(t).Annotations {
		for kind, value := range a.On {
			without := world(t, annotated(kind, a.With))
			with := world(t, annotated(kind, a.With, map[string]string{a.Name: value}))
			said := ""
			for key := range with.said {
				if string(key.Kind) == kind && with.objects[key].GetAnnotations()[a.Name] == value {
					said += with.said[key]
				}
			}
			ignored := strings.Contains(said, "annotation "+a.Name+" ") || strings.Contains(said, "annotation "+a.Name+":")
			differs := with.config != without.config || a.Name == annotation.Prefix+annotation.GatewayClassUnmanaged && !maps.Equal(with.said, without.said)
			switch {
			case a.Mute && (with.config != without.config || said == ""):
				t.Errorf("%s on %s: there is no verdict, or the configuration changes", a.Name, kind)
			case !a.Mute && (!differs || ignored):
				t.Errorf("%s: %s on %s does not change the configuration; verdicts: %s", a.Name, value, kind, said)
			}
		}
	}
}

// TestInventoryHasEveryAnnotation checks that each annotation that the translation reads is
// listed, for each kind of object.
func TestInventoryHasEveryAnnotation(t *testing.T) {
	listed := map[string]bool{}
	for _, a := range readInventory(t).Annotations {
		for kind := range a.On {
			listed[kind+" "+strings.TrimSuffix(a.Name, "x-tenant")] = true
		}
	}
	read := map[string][]string{
		"Ingress":   append(annotation.RouteNames, annotation.HostAliases, annotation.Rewrite, annotation.RegexPrefix, annotation.Plugins),
		"HTTPRoute": append(annotation.RouteNames, annotation.HostAliases, annotation.Plugins),
		"Service":   annotation.ServiceNames, "KongServiceFacade": annotation.ServiceNames,
		"Gateway": gatewayapi.GatewayAnnotations, "GatewayClass": gatewayapi.ClassAnnotations,
	}
	for kind, names := range read {
		for _, name := range names {
			if !listed[kind+" "+annotation.Prefix+name] {
				t.Errorf("%s%s on %s is read but not in the inventory", annotation.Prefix, name, kind)
			}
		}
	}
}

// TestInventoryOfCredentials gives a consumer a credential of each type.
func TestInventoryOfCredentials(t *testing.T) {
	without := world(t, func(unit.Key, unit.Object) {})
	for _, l := range readInventory(t).Labels {
		if l.Type == "" {
			continue
		}
		with := world(t, func(key unit.Key, object unit.Object) {
			if key.Name == "credential" {
				object.SetLabels(map[string]string{"konghq.com/credential": l.Type})
			}
		})
		said := with.said[unit.Key{Kind: unit.KongConsumer, Namespace: "shop", Name: "ann"}]
		taken := with.config != without.config && !strings.Contains(said, "CredentialInvalid")
		if taken != (l.Word == generated.Same || l.Word == generated.Better) || !taken && !strings.Contains(said, l.Type) {
			t.Errorf("a credential %s is taken: %t; said: %s", l.Type, taken, said)
		}
	}
}
