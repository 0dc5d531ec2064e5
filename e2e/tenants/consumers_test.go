package tenants

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// consumer returns a KongConsumer with a key, a group of the same name, and plugins for all its requests.
func consumer(namespace, name, plugins string) string {
	return fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: %[2]s, namespace: %[1]s, annotations: {kubernetes.io/ingress.class: kong, konghq.com/plugins: '%[3]s'}}
username: %[2]s
credentials: [%[2]s-key, %[2]s-group]
---
apiVersion: v1
kind: Secret
metadata: {name: %[2]s-key, namespace: %[1]s, labels: {konghq.com/credential: key-auth}}
stringData: {key: key-of-%[2]s}
---
apiVersion: v1
kind: Secret
metadata: {name: %[2]s-group, namespace: %[1]s, labels: {konghq.com/credential: acl}}
stringData: {group: members}
---
`, namespace, name, plugins)
}

func by(name string) map[string]string { return map[string]string{"apikey": "key-of-" + name} }

// letIn returns a ReferenceGrant of a namespace for the consumers of another one.
func letIn(namespace, from string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: consumers, namespace: %s}
spec:
  from: [{group: configuration.konghq.com, kind: KongConsumer, namespace: %s}]
  to: [{group: networking.k8s.io, kind: Ingress}]
---
`, namespace, from)
}

// On a shared gateway, consumers of another namespace are accepted. Their plugins do not replace those of the route;
// they may only add limits for themselves.
func TestConsumersPluginsTakeNothingAway(t *testing.T) {
	t.Run("loaded", func(t *testing.T) { testConsumersPlugins(t, newScene(t, translate.Options{})) })
	t.Run("changed", func(t *testing.T) {
		s := newScene(t, translate.Options{})
		s.apply(s.web("shop", "first", "first.example"))
		s.want(request{host: "first.example"}, http.StatusOK)
		testConsumersPlugins(t, s)
	})
}

func testConsumersPlugins(t *testing.T, s *scene) {
	s.apply(s.web("shop", "web", "shop.example", "konghq.com/plugins: 'auth,limit,local'") +
		plugin("shop", "auth", "key-auth", "{}") +
		plugin("shop", "limit", "rate-limiting", "{year: 1000000}") +
		plugin("shop", "local", "ip-restriction", "{deny: [127.0.0.1], status: 403}") +
		s.web("shop", "open", "open.shop.example", "konghq.com/plugins: auth") +
		consumer("shop", "ann", "") +
		plugin("attacker", "lift", "rate-limiting", "{year: 77}") +
		plugin("attacker", "enter", "ip-restriction", "{allow: [127.0.0.0/8]}") +
		plugin("attacker", "spy", "response-transformer", "{add: {headers: [x-spied:yes]}}") +
		plugin("attacker", "echo", "request-termination", "{echo: true, status_code: 200}") +
		consumer("attacker", "mallory", "lift,enter,spy,echo") +
		s.web("attacker", "own", "own.attacker.example", "konghq.com/plugins: auth") +
		plugin("attacker", "auth", "key-auth", "{}"))
	s.want(request{host: "shop.example", header: by("ann")}, http.StatusForbidden)
	got := s.want(request{host: "shop.example", header: by("mallory")}, http.StatusForbidden)
	if got.header.Get("x-ratelimit-limit-year") != "" || got.header.Get("x-spied") != "" {
		t.Errorf("the attacker's plugins work on the shop's route: %v", got.header)
	}
	// If the shop has no limits, a consumer's limits apply. Its other plugins do not.
	got, err := s.ask(request{host: "open.shop.example", header: by("mallory")})
	if err != nil || got.status != http.StatusOK || got.header.Get("x-spied") != "" || got.header.Get("x-ratelimit-limit-year") != "77" {
		t.Errorf("status %d, headers %v, %v", got.status, got.header, err)
	}
	if got.told.Header.Get("x-consumer-username") != "mallory" {
		t.Errorf("the backend is told %v", got.told)
	}
	// On its own namespace's routes, all of them apply.
	got = s.want(request{host: "own.attacker.example", header: by("mallory")}, http.StatusOK)
	if got.header.Get("x-spied") != "yes" || !strings.Contains(got.body, "matched_route") {
		t.Errorf("headers %v, %s", got.header, got.body)
	}

	s.apply(letIn("shop", "attacker"))
	if got := s.want(request{host: "open.shop.example", header: by("mallory")}, http.StatusOK); got.header.Get("x-spied") != "yes" {
		t.Errorf("the shop lets the consumers of the namespace in, and the plugin does not work: %v", got.header)
	}
}

// A setting restores the Kong Ingress Controller's behavior.
func TestConsumersPluginsEverywhere(t *testing.T) {
	s := newScene(t, translate.Options{Tenancy: tenancy.Options{ConsumersEverywhere: true}})
	s.apply(s.web("shop", "web", "shop.example", "konghq.com/plugins: 'auth,own'") +
		plugin("shop", "auth", "key-auth", "{}") + plugin("shop", "own", "response-transformer", "{add: {headers: [x-of:shop]}}") +
		plugin("people", "theirs", "response-transformer", "{add: {headers: [x-of:people]}}") + consumer("people", "ann", "theirs"))
	if got := s.want(request{host: "shop.example", header: by("ann")}, http.StatusOK); got.header.Get("x-of") != "people" {
		t.Errorf("headers %v", got.header)
	}
}

// On an isolated gateway, consumers of other namespaces are unknown on a route, whatever their groups, until a
// ReferenceGrant permits them.
func TestConsumersAreUnknownElsewhere(t *testing.T) {
	s := newScene(t, translate.Options{Tenancy: tenancy.Options{Isolated: true}})
	s.apply(s.web("shop", "web", "shop.example", "konghq.com/plugins: auth") +
		s.web("shop", "members", "members.shop.example", "konghq.com/plugins: 'auth,group'") +
		plugin("shop", "auth", "key-auth", "{}") + plugin("shop", "group", "acl", "{allow: [members]}") +
		plugin("shop", "guests", "key-auth", "{anonymous: guest}") +
		s.web("shop", "guests", "guests.shop.example", "konghq.com/plugins: guests") +
		consumer("shop", "ann", "") + consumer("shop", "guest", "") +
		consumer("attacker", "mallory", "") +
		s.web("attacker", "own", "own.attacker.example", "konghq.com/plugins: auth") + plugin("attacker", "auth", "key-auth", "{}") +
		s.web("open", "web", "open.example"))
	for _, host := range []string{"shop.example", "members.shop.example"} {
		s.want(request{host: host, header: by("ann")}, http.StatusOK)
		s.want(request{host: host, header: by("mallory")}, http.StatusUnauthorized)
		s.want(request{host: host, header: by("nobody")}, http.StatusUnauthorized)
	}
	s.want(request{host: "own.attacker.example", header: by("mallory")}, http.StatusOK)
	s.want(request{host: "own.attacker.example", header: by("ann")}, http.StatusUnauthorized)
	s.want(request{host: "open.example", header: by("mallory")}, http.StatusOK)
	if got := s.want(request{host: "guests.shop.example"}, http.StatusOK); got.told.Header.Get("x-anonymous-consumer") != "true" {
		t.Errorf("the backend is told %v", got.told)
	}
	s.want(request{host: "guests.shop.example", header: by("mallory")}, http.StatusUnauthorized)

	s.apply(letIn("shop", "attacker"))
	s.want(request{host: "members.shop.example", header: by("mallory")}, http.StatusOK)
	s.want(request{host: "own.attacker.example", header: by("ann")}, http.StatusUnauthorized)
}

// Without the plugin kube-sync-tenants, as in a plain image, consumers on a shared gateway behave as in Kong. An
// isolated gateway refuses them.
func TestKongWithoutTheTenantsPlugin(t *testing.T) {
	objects := func(s *scene) string {
		return s.web("shop", "web", "shop.example", "konghq.com/plugins: auth") + plugin("shop", "auth", "key-auth", "{}") + consumer("shop", "ann", "")
	}
	shared := newScene(t, translate.Options{}, "KONG_PLUGINS=bundled,kube-sync-closed")
	if refused := shared.apply(objects(shared)); len(refused) != 1 || !strings.Contains(strings.Join(refused[0].Messages, " "), "kube-sync-tenants") {
		t.Errorf("refused: %+v", refused)
	}
	shared.await(request{host: "shop.example", header: by("ann")}, http.StatusOK)
	isolated := newScene(t, translate.Options{Tenancy: tenancy.Options{Isolated: true}}, "KONG_PLUGINS=bundled,kube-sync-closed")
	isolated.apply(objects(isolated))
	isolated.await(request{host: "shop.example", header: by("ann")}, http.StatusServiceUnavailable)
	isolated.want(request{host: "shop.example"}, http.StatusServiceUnavailable)
}
