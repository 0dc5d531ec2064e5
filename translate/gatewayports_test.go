package translate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const poolClass = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kong-proxy, namespace: kong, labels: {kubernetes.io/service-name: kong-proxy}}
addressType: IPv4
ports: [{name: proxy, port: 8000}]
endpoints: [{addresses: [10.1.0.1]}]
`

// poolFront is the Service in front of Kong.
var poolFront = types.NamespacedName{Namespace: "kong", Name: "kong-proxy"}

// pooledCluster is a cluster whose gateway has four ports for HTTP in its pool, and writes the record
// of ports.
type pooledCluster struct {
	t       *testing.T
	graph   *unit.Graph
	objects map[unit.Key]unit.Object
	version int
}

func newPooledCluster(t *testing.T, namespacePorts int) *pooledCluster {
	t.Helper()
	c := &pooledCluster{t: t, objects: map[unit.Key]unit.Object{}}
	c.graph = poolGraph(namespacePorts)
	c.apply(poolClass)
	return c
}

func poolGraph(namespacePorts int) *unit.Graph {
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001, 20002, 20003}}
	o.Gateway.Front, o.Gateway.NamespacePorts = poolFront, namespacePorts
	return translate.New(o)
}

// gateway adds a Gateway that was created on a day of January, with ports for HTTP.
func (c *pooledCluster) gateway(namespace, name string, day int, ports ...int) {
	c.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: %s, namespace: %s, uid: %[1]s, creationTimestamp: 2020-01-%02[3]dT00:00:00Z}\nspec:\n  gatewayClassName: kong\n  allowedListeners: {namespaces: {from: All}}\n  listeners:\n", name, namespace, day)
	for _, port := range ports {
		fmt.Fprintf(&b, "  - {name: port-%d, port: %[1]d, protocol: HTTP}\n", port)
	}
	c.apply(b.String())
}

// forged adds a Service with the labels of a Gateway's own Service.
func (c *pooledCluster) forged(namespace, gateway string, targets ...int) {
	c.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Service\nmetadata:\n  name: %s-kong\n  namespace: %s\n  labels: {app.kubernetes.io/managed-by: kube-sync, gateway.networking.k8s.io/gateway-name: %[1]s}\nspec:\n  type: LoadBalancer\n  ports:\n", gateway, namespace)
	for i, target := range targets {
		fmt.Fprintf(&b, "  - {name: http-%d, port: %[1]d, targetPort: %d}\n", 80+i, target)
	}
	c.apply(b.String())
}

func (c *pooledCluster) apply(manifests string) {
	c.t.Helper()
	for _, change := range read(c.t, manifests) {
		c.put(change)
	}
	c.settle()
}

func (c *pooledCluster) remove(key unit.Key) {
	c.put(unit.Change{Key: key})
	c.settle()
}

func (c *pooledCluster) put(change unit.Change) {
	if c.objects[change.Key] = change.Object; change.Object == nil {
		delete(c.objects, change.Key)
	}
	c.graph.Update(change)
}

// settle writes the record of ports until it no longer changes.
func (c *pooledCluster) settle() {
	c.t.Helper()
	key := owned.PortRecord(poolFront)
	for range 3 {
		objects := c.graph.Owned(owned.Ports)
		if len(objects) == 0 {
			return
		}
		record := objects[0].(*corev1.ConfigMap)
		before, ok := c.objects[key].(*corev1.ConfigMap)
		if ok && cmp.Equal(before.Data, record.Data) {
			return
		}
		version := ""
		if ok {
			version = before.ResourceVersion
		}
		if record.ResourceVersion != version {
			c.t.Fatalf("the new record has the resource version %q, want %q", record.ResourceVersion, version)
		}
		c.version++
		written := record.DeepCopy()
		written.ResourceVersion = fmt.Sprint(c.version)
		c.put(unit.Change{Key: key, Object: written})
	}
	c.t.Fatal("the record of ports keeps changing")
}

// of returns the entities, statuses and Services of a namespace.
func (c *pooledCluster) of(namespace string) (all []string) {
	c.t.Helper()
	return ofNamespace(c.graph, namespace)
}

func ofNamespace(g *unit.Graph, namespace string) (all []string) {
	for view := range g.Units() {
		if view.ID.Namespace == namespace {
			for _, e := range view.Entities {
				all = append(all, string(e.JSON))
			}
		}
	}
	for key, status := range g.Statuses() {
		if key.Namespace == namespace {
			whole, _ := status.Merge(g.Object(key), unit.Moment{})
			text, _ := json.Marshal(whole)
			owned, _ := json.Marshal(g.Owned(key))
			all = append(all, key.String()+" "+string(text)+" "+string(owned))
		}
	}
	return all
}

// port returns the port of Kong for a port of a Gateway; 0 if it has none.
func (c *pooledCluster) port(namespace, gateway string, port int32) int32 {
	for _, object := range c.graph.Owned(unit.Gateway.Key(namespace, gateway)) {
		if service, ok := object.(*corev1.Service); ok {
			for _, p := range service.Spec.Ports {
				if p.Port == port {
					return p.TargetPort.IntVal
				}
			}
		}
	}
	return 0
}

// restarted returns a new graph with the same objects.
func (c *pooledCluster) restarted(namespacePorts int) *unit.Graph {
	g := poolGraph(namespacePorts)
	var changes []unit.Change
	for key, object := range c.objects {
		changes = append(changes, unit.Change{Key: key, Object: object})
	}
	g.Update(changes...)
	return g
}

// Nothing that a tenant does changes the port of another tenant's Gateway, also not after a restart.
func TestAnotherNamespaceCannotMovePorts(t *testing.T) {
	gateway := func(name string) unit.Key { return unit.Gateway.Key("attacker", name) }
	service := func(name string) unit.Key { return unit.Service.Key("attacker", name) }
	for name, attack := range map[string]func(c *pooledCluster, port int){
		"edits its older Gateway's Service":   func(c *pooledCluster, port int) { c.forged("attacker", "old", port) },
		"edits its younger Gateway's Service": func(c *pooledCluster, port int) { c.forged("attacker", "young", port) },
		"edits a Service, then adds a listener to its older Gateway": func(c *pooledCluster, port int) {
			c.forged("attacker", "old", 20000, port)
			c.gateway("attacker", "old", 1, 80, 81)
		},
		"creates Services of Gateways that do not exist": func(c *pooledCluster, _ int) {
			c.forged("attacker", "none", 20000, 20001, 20002, 20003)
		},
		"adds listeners to its older Gateway": func(c *pooledCluster, _ int) { c.gateway("attacker", "old", 1, 80, 81, 82, 83, 84) },
		"deletes its older Gateway":           func(c *pooledCluster, _ int) { c.remove(gateway("old")) },
		"deletes and recreates its older Gateway": func(c *pooledCluster, port int) {
			c.remove(gateway("old"))
			c.forged("attacker", "old", port)
			c.gateway("attacker", "old", 5, 80, 81, 82)
		},
		"deletes Services": func(c *pooledCluster, _ int) { c.remove(service("old-kong")) },
		"writes a record of its own": func(c *pooledCluster, port int) {
			c.apply(fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kong-proxy-gateway-ports, namespace: attacker}\ndata: {%q: http-80 of attacker/old-kong}\n", fmt.Sprint(port)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newPooledCluster(t, limit.Unlimited)
			c.gateway("attacker", "old", 1, 80)
			c.gateway("victim", "shop", 2, 80)
			c.gateway("attacker", "young", 3, 80)
			before, port := c.of("victim"), c.port("victim", "shop", 80)
			if port == 0 {
				t.Fatal("the victim's Gateway has no port")
			}
			attack(c, int(port))
			if diff := cmp.Diff(before, c.of("victim")); diff != "" {
				t.Errorf("the victim's Gateway changed:\n%s", diff)
			}
			if diff := cmp.Diff(before, ofNamespace(c.restarted(limit.Unlimited), "victim")); diff != "" {
				t.Errorf("the victim's Gateway changed after a restart:\n%s", diff)
			}
			for _, gateway := range []string{"old", "young"} {
				if c.port("attacker", gateway, 80) == port {
					t.Errorf("the attacker's Gateway %s has the victim's port", gateway)
				}
			}
		})
	}
}

// Services that tenants forge do not influence which port a new Gateway gets.
func TestForgedServicesReserveNoPorts(t *testing.T) {
	port := func(forged ...int) int32 {
		c := newPooledCluster(t, limit.Unlimited)
		c.gateway("attacker", "old", 1, 80)
		if len(forged) > 0 {
			c.forged("attacker", "old", forged...)
			c.forged("attacker", "none", forged...)
		}
		c.gateway("victim", "shop", 2, 80)
		return c.port("victim", "shop", 80)
	}
	want := port()
	for _, forged := range [][]int{{20001}, {20001, 20002}, {20000, 20001, 20002, 20003}, {20003, 20003}} {
		if got := port(forged...); got != want || got == 0 {
			t.Errorf("with forged Services for %v a Gateway has port %d, want %d as without them", forged, got, want)
		}
	}
}

// Ports of deleted Gateways are assigned last, but they are assigned.
func TestPortsOfDeletedGatewaysComeLast(t *testing.T) {
	c := newPooledCluster(t, limit.Unlimited)
	c.gateway("shop", "first", 1, 80)
	was := c.port("shop", "first", 80)
	c.remove(unit.Gateway.Key("shop", "first"))
	for i, namespace := range []string{"a", "b", "c"} {
		c.gateway(namespace, "web", 2+i, 80)
		if got := c.port(namespace, "web", 80); got == was || got == 0 {
			t.Errorf("Gateway %s/web has port %d, and a deleted one had %d", namespace, got, was)
		}
	}
	c.gateway("d", "web", 9, 80)
	if got := c.port("d", "web", 80); got != was {
		t.Errorf("the last Gateway has port %d, want %d", got, was)
	}
}

// One namespace gets at most half of the ports, including the ports that its ListenerSets add to
// Gateways of other namespaces.
func TestShareOfPorts(t *testing.T) {
	for name, attack := range map[string]func(c *pooledCluster){
		"one Gateway": func(c *pooledCluster) { c.gateway("attacker", "old", 1, 80, 81, 82, 83, 84, 85) },
		"many Gateways": func(c *pooledCluster) {
			for i := range 6 {
				c.gateway("attacker", fmt.Sprint("old", i), 1, 80)
			}
		},
		"a ListenerSet for another's Gateway": func(c *pooledCluster) {
			c.gateway("shared", "web", 1, 80)
			c.apply(`
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: many, namespace: attacker, creationTimestamp: 2020-01-01T00:00:00Z}
spec:
  parentRef: {name: web, namespace: shared}
  listeners:
  - {name: a, port: 81, protocol: HTTP}
  - {name: b, port: 82, protocol: HTTP}
  - {name: c, port: 83, protocol: HTTP}
`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newPooledCluster(t, 0)
			attack(c)
			c.gateway("victim", "shop", 20, 80)
			if c.port("victim", "shop", 80) == 0 {
				t.Errorf("the victim's Gateway has no port: %v", c.of("victim"))
			}
			has := strings.Count(fmt.Sprint(c.of("attacker"), c.of("shared")), `"targetPort":`)
			if name == "a ListenerSet for another's Gateway" {
				has-- // of the Gateway
			}
			if has != 2 {
				t.Errorf("the attacker has %d ports of 4, want 2", has)
			}
			if all := fmt.Sprint(c.of("attacker")); !strings.Contains(all, "LIMIT_NAMESPACE_GATEWAY_PORTS allows no more") || !strings.Contains(all, "PortUnavailable") {
				t.Errorf("no status tells the attacker about its share: %s", all)
			}
		})
	}
}
