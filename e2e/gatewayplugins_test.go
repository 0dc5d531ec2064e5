package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// KongPlugins on routes of Gateway API: by annotation for all rules, by filter for one.
func TestGatewayPlugins(t *testing.T) {
	s := newScene(t, nil)
	s.apply(t, plainGateway)
	t.Run("HTTPRoute", s.httpRoutePlugins)
	t.Run("GRPCRoute", s.grpcRoutePlugins)
	t.Run("Missing", s.missingRoutePlugin)
	t.Run("OtherNamespace", s.grantedRoutePlugin)
}

// pluginFilter returns a filter that refers to a KongPlugin.
func pluginFilter(name string) string {
	return "{type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: " + name + "}}"
}

// annotated returns a route of any kind with plugins.
func routeWithPlugins(kind, name, plugins, spec string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: %s
metadata: {name: %s, annotations: {konghq.com/plugins: %q}}
spec:
  parentRefs: [{name: same}]
%s
`, kind, name, plugins, spec)
}

// All rules have the plugins of the annotation. One also has that of its filter. A consumer that refers to
// it as well has it for itself.
func (s scene) httpRoutePlugins(t *testing.T) {
	host := s.host("http-route")
	s.apply(t, kongPlugin("route-auth", "key-auth", "{}"), tells("by-filter"), tells("by-consumer"),
		consumer("oda", "", "oda-key"), credential("oda-key", "key-auth", "key", s.ns+"-oda"),
		consumer("pia", ", konghq.com/plugins: by-consumer", "pia-key"), credential("pia-key", "key-auth", "key", s.ns+"-pia"),
		routeWithPlugins("HTTPRoute", "http-route", "route-auth", `
  hostnames: [`+host+`]
  rules:
  - {matches: [{path: {value: /}}], backendRefs: [{name: web, port: 80}]}
  - {matches: [{path: {value: /told}}], filters: [`+pluginFilter("by-filter")+`], backendRefs: [{name: web, port: 80}]}`))
	get := func(path, name string) request {
		return request{host: host, path: path, header: map[string]string{"apikey": s.ns + "-" + name}}
	}
	s.want(t, request{host: host}, http.StatusUnauthorized, nil)
	s.want(t, request{host: host, path: "/told"}, http.StatusUnauthorized, nil)
	s.want(t, get("/", "oda"), http.StatusOK, told(""))
	s.want(t, get("/told", "oda"), http.StatusOK, told("by-filter"))
	s.want(t, get("/told", "pia"), http.StatusOK, told("by-consumer"))
}

// A gRPC call without a key gets the status Unauthenticated.
func (s scene) grpcRoutePlugins(t *testing.T) {
	host := s.host("grpc-route")
	s.apply(t, kongPlugin("rpc-auth", "key-auth", "{}"), tells("rpc-filter"), routeWithPlugins("GRPCRoute", "grpc-route", "", `
  hostnames: [`+host+`]
  rules:
  - {matches: [{method: {service: open.Service}}], filters: [`+pluginFilter("rpc-filter")+`], backendRefs: [{name: web, port: 80}]}
  - {matches: [{method: {service: closed.Service}}], filters: [`+pluginFilter("rpc-auth")+`], backendRefs: [{name: web, port: 80}]}`))
	origin := "http://" + s.gw.HTTP
	wantCall(t, origin, host, "/open.Service/Method", "0")
	wantCall(t, origin, host, "/closed.Service/Method", "16")
	s.apply(t, routeWithPlugins("GRPCRoute", "grpc-route", "rpc-auth", `
  hostnames: [`+host+`]
  rules: [{backendRefs: [{name: web, port: 80}]}]`))
	wantCall(t, origin, host, "/open.Service/Method", "16")
}

// A rule whose plugin does not exist is closed, and other rules are not. The route's status says so.
func (s scene) missingRoutePlugin(t *testing.T) {
	host := s.host("missing")
	s.apply(t, routeWithPlugins("HTTPRoute", "missing", "", `
  hostnames: [`+host+`]
  rules:
  - {matches: [{path: {value: /}}], backendRefs: [{name: web, port: 80}]}
  - {matches: [{path: {value: /guarded}}], filters: [`+pluginFilter("guard")+`], backendRefs: [{name: web, port: 80}]}`))
	guarded := request{host: host, path: "/guarded"}
	s.want(t, request{host: host}, http.StatusOK, nil)
	s.want(t, guarded, http.StatusServiceUnavailable, nil)
	wantEvent(t, s.cp, s.ns, "missing", "PluginNotFound")
	wantRoute(t, s.cp, s.ns, "missing", "ResolvedRefs", "PluginNotFound")
	open := watchFor(t, s.gw.HTTP, guarded, http.StatusOK)
	guard := kongPlugin("guard", "key-auth", "{}")
	s.apply(t, guard)
	s.want(t, guarded, http.StatusUnauthorized, nil)
	s.remove(t, guard)
	s.want(t, guarded, http.StatusServiceUnavailable, nil)
	open.stop(t)
	s.want(t, request{host: host}, http.StatusOK, nil)
}

// A plugin of another namespace needs a grant for the kind of the route.
func (s scene) grantedRoutePlugin(t *testing.T) {
	other, host := s.cp.Namespace(t), s.host("granted-route")
	s.cp.MustApply(t, other, tells("theirs"))
	s.apply(t, routeWithPlugins("HTTPRoute", "granted-route", other+":theirs", "  hostnames: ["+host+"]\n  rules: [{backendRefs: [{name: web, port: 80}]}]"))
	s.want(t, request{host: host}, http.StatusServiceUnavailable, nil)
	wantRoute(t, s.cp, s.ns, "granted-route", "ResolvedRefs", "RefNotPermitted")
	s.cp.MustApply(t, other, fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: plugins}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: %s}]
  to: [{group: configuration.konghq.com, kind: KongPlugin}]
`, s.ns))
	s.want(t, request{host: host}, http.StatusOK, told("theirs"))
	wantRoute(t, s.cp, s.ns, "granted-route", "ResolvedRefs", "ResolvedRefs")
}
