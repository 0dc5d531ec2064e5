package translate_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// crossed returns the manifests of 32 Gateways with 64 listeners each, and of routes for all hosts
// that each name all Gateways.
func crossed(routes int) string {
	var b strings.Builder
	b.WriteString(`apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong, annotations: {konghq.com/gatewayclass-unmanaged: "true"}}
spec: {controllerName: konghq.com/kic-gateway-controller}
`)
	var listeners, parents []string
	for i := range 64 {
		listeners = append(listeners, fmt.Sprintf("{name: l%d, port: 80, protocol: HTTP, hostname: h%d.tenant.example}", i, i))
	}
	for i := range 32 {
		fmt.Fprintf(&b, `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g%02d, namespace: tenant}
spec: {gatewayClassName: kong, listeners: [%s]}
`, i, strings.Join(listeners, ", "))
		parents = append(parents, fmt.Sprintf("{name: g%02d}", i))
	}
	for i := range routes {
		fmt.Fprintf(&b, `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r%03d, namespace: tenant}
spec: {parentRefs: [%s], rules: [{backendRefs: [{name: web, port: 80}]}]}
`, i, strings.Join(parents, ", "))
	}
	return b.String()
}

// graphOf returns the graph of manifests, and its size in bytes.
func graphOf(t *testing.T, manifests string, limits limit.Limits) (*unit.Graph, int64) {
	t.Helper()
	read, err := manifest.Read("input.yaml", strings.NewReader(manifests), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	g := translate.New(translate.Options{Limits: limits, Gateway: gatewayapi.Options{Controller: "konghq.com/kic-gateway-controller"}})
	before := int64(heap())
	for _, m := range read.Objects {
		g.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	took := int64(heap()) - before
	runtime.KeepAlive(read)
	return g, took
}

// attachedRoutes returns the sum of the attached routes of a Gateway's listeners.
func attachedRoutes(t *testing.T, g *unit.Graph, name string) (sum int) {
	t.Helper()
	status, _ := g.Status(unit.Gateway.Key("tenant", name)).Merge(&gatewayv1.Gateway{}, unit.Moment{})
	for _, l := range status.(gatewayv1.GatewayStatus).Listeners {
		sum += int(l.AttachedRoutes)
	}
	return sum
}

// The memory of routes at very many listeners is bounded for each route. Half of it is for the 64
// routes that it has in Kong.
func TestMemoryOfRoutesAtManyListeners(t *testing.T) {
	const routes, most = 20, 600 << 10
	_, gateways := graphOf(t, crossed(0), limit.Limits{})
	g, took := graphOf(t, crossed(routes), limit.Limits{})
	took -= gateways
	if took > routes*most {
		t.Errorf("%d routes take %d KiB; want %d at most", routes, took>>10, routes*most>>10)
	} else {
		t.Logf("%d routes take %d KiB", routes, took>>10)
	}
	// The first Gateways have the maximum number of listeners of a route; the others do not accept it.
	full := limit.RouteListeners / 64
	for i := range 32 {
		want := 0
		if i < full {
			want = 64 * routes
		}
		if got := attachedRoutes(t, g, fmt.Sprintf("g%02d", i)); got != want {
			t.Errorf("Gateway %d has %d routes at its listeners; want %d", i, got, want)
		}
	}
	status, _ := g.Status(unit.HTTPRoute.Key("tenant", "r000")).Merge(&gatewayv1.HTTPRoute{}, unit.Moment{})
	for i, p := range status.(gatewayv1.RouteStatus).Parents {
		says := fmt.Sprint(p.Conditions)
		want := "a route may be attached to 512 listeners; the route is not attached to 1536 more"
		if i >= full {
			want = "the route is attached to 512 listeners of other parents, and a route may have no more"
		}
		if !strings.Contains(says, want) {
			t.Errorf("parent %d: %s; want %q", i, says, want)
		}
	}
	runtime.KeepAlive(g)
}

// The routes of a namespace are attached to a bounded number of listeners, and routes beyond it take
// little memory.
func TestMemoryOfANamespaceAtManyListeners(t *testing.T) {
	const routes, fit, most = 60, 2, 100 << 10
	_, gateways := graphOf(t, crossed(0), limit.Limits{})
	g, took := graphOf(t, crossed(routes), limit.Limits{Attachments: fit*limit.RouteListeners + 1})
	took -= gateways
	if got := attachedRoutes(t, g, "g00"); got != fit*64 {
		t.Errorf("there are %d routes at the listeners of the first Gateway; want %d", got, fit*64)
	}
	if took > routes*most {
		t.Errorf("%d routes take %d KiB; want %d at most", routes, took>>10, routes*most>>10)
	} else {
		t.Logf("%d routes take %d KiB", routes, took>>10)
	}
	runtime.KeepAlive(g)
}
