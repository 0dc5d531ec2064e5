package translate_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// deepHosts returns the manifests of Gateways and of routes for a thousand hosts with many labels at
// each Gateway. Annotations of an object may have a quarter of a megabyte.
func deepHosts(gateways, routes int) string {
	var b strings.Builder
	b.WriteString(`apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong, annotations: {konghq.com/gatewayclass-unmanaged: "true"}}
spec: {controllerName: konghq.com/kic-gateway-controller}
`)
	var parents, aliases []string
	for i := range gateways {
		fmt.Fprintf(&b, `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g%d, namespace: tenant}
spec: {gatewayClassName: kong, listeners: [{name: l, port: 80, protocol: HTTP}]}
`, i)
		parents = append(parents, fmt.Sprintf("{name: g%d}", i))
	}
	for i := range 1000 {
		aliases = append(aliases, strings.Repeat("a.", 120)+fmt.Sprintf("x%03d", i))
	}
	for i := range routes {
		fmt.Fprintf(&b, `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r%d, namespace: tenant, annotations: {konghq.com/host-aliases: %q}}
spec: {hostnames: [x.example], parentRefs: [%s], rules: [{backendRefs: [{name: web, port: 80}]}]}
`, i, strings.Join(aliases, ","), strings.Join(parents, ", "))
	}
	return b.String()
}

// The memory of a tenant's hosts is proportional to the size of its objects, whatever the numbers of
// labels and listeners.
func TestMemoryOfHostsWithManyLabels(t *testing.T) {
	const routes, most = 4, 20 << 20
	manifests, err := manifest.Read("input.yaml", strings.NewReader(deepHosts(4, routes)), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	g := translate.New(translate.Options{Gateway: gatewayapi.Options{Controller: "konghq.com/kic-gateway-controller"}})
	before := int64(heap())
	for _, m := range manifests.Objects {
		g.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	if took := int64(heap()) - before; took > routes*most {
		t.Errorf("%d routes take %d MiB; want %d at most", routes, took>>20, routes*most>>20)
	} else {
		t.Logf("%d routes take %d MiB", routes, took>>20)
	}
	runtime.KeepAlive(g)
	runtime.KeepAlive(manifests)
}
