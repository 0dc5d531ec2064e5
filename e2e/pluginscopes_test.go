package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// Scopes of plugins, and the sources of their configuration.
func TestPluginScopes(t *testing.T) {
	// A KongVault with the backend env reads Kong's environment.
	s := newScene(t, func(string) map[string]string {
		return map[string]string{"VAULTED_TOKEN": vaulted, "PLUGINSERVER_KUBE_SYNC_CUSTOM_ENTITY_TYPES": "key_sets"}
	})
	t.Run("GlobalGivesWay", s.globalGivesWay)
	t.Run("GlobalFailsClosed", s.globalFailsClosed)
	t.Run("MostSpecificWins", s.mostSpecificWins)
	t.Run("OtherNamespace", s.otherNamespace)
	t.Run("ConfigPatches", s.configPatches)
	t.Run("Vault", s.vault)
	t.Run("CustomEntity", s.customEntity)
	t.Run("Disabled", s.disabled)
}

var (
	kongConsumers      = schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1", Resource: "kongconsumers"}
	kongVaults         = schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1alpha1", Resource: "kongvaults"}
	kongCustomEntities = schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1alpha1", Resource: "kongcustomentities"}
)

// tells returns a plugin that sends its name to clients.
func tells(name string) string {
	return kongPlugin(name, "response-transformer", `{add: {headers: ["x-told:`+name+`"]}}`)
}

// told returns a check of the plugin that the client got.
func told(want string) func(*http.Response, echoed) error {
	return func(response *http.Response, _ echoed) error {
		return same("told", response.Header.Get("x-told"), want)
	}
}

// global applies a KongClusterPlugin for all requests, until the test ends.
func (s scene) global(t *testing.T, name, plugin, rest string) string {
	manifest := fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: %s-%s, labels: {global: "true"}, annotations: {kubernetes.io/ingress.class: kong}}
plugin: %s
%s
`, s.ns, name, plugin, rest)
	t.Cleanup(func() { _ = s.cp.Delete(context.WithoutCancel(t.Context()), "", manifest) })
	return manifest
}

// A plugin for all requests applies unless a route has one of the same name, and again when that one is gone.
func (s scene) globalGivesWay(t *testing.T) {
	global := s.global(t, "everybody", "response-transformer", `config: {add: {headers: ["x-told:everybody"]}}`)
	own, plain := s.host("own"), s.host("plain")
	s.apply(t, withPlugins("own", own, "web", "own"), tells("own"), ingress("plain", plain, "/", "web"), global)
	s.want(t, request{host: own}, http.StatusOK, told("own"))
	s.want(t, request{host: plain}, http.StatusOK, told("everybody"))
	s.apply(t, ingress("own", own, "/", "web"))
	s.apply(t, strings.Replace(ingress("own", own, "/", "web"), "{name: own}", `{name: own, annotations: {konghq.com/plugins: ""}}`, 1))
	s.want(t, request{host: own}, http.StatusOK, told("everybody"))
	if err := s.cp.Delete(t.Context(), "", global); err != nil {
		t.Fatal(err)
	}
	s.want(t, request{host: own}, http.StatusOK, told(""))
}

// If a plugin for all requests is unavailable, no request is served, whatever other plugins there are: neither if it
// has no configuration, nor if Kong rejects it.
func (s scene) globalFailsClosed(t *testing.T) {
	plain, own := request{host: s.host("any")}, request{host: s.host("office")}
	s.apply(t, s.global(t, "office", "ip-restriction", "config: {allow: [127.0.0.0/8]}"), ingress("any", plain.host, "/", "web"),
		withPlugins("office", own.host, "web", "office"), kongPlugin("office", "ip-restriction", "{allow: [127.0.0.0/8]}"))
	both := func(status int) {
		t.Helper()
		s.want(t, plain, status, nil)
		s.want(t, own, status, nil)
	}
	both(http.StatusOK)
	s.apply(t, s.global(t, "auth", "key-auth", "configFrom: {secretKeyRef: {name: everywhere, namespace: "+s.ns+", key: auth}}"))
	both(http.StatusServiceUnavailable)
	secret := func(config string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: everywhere}\nstringData: {auth: '" + config + "'}\n"
	}
	s.apply(t, secret("{}"))
	both(http.StatusUnauthorized)
	s.apply(t, secret("no_such_field: 1"))
	both(http.StatusServiceUnavailable)
	s.apply(t, secret("key_names: [x-key]"))
	both(http.StatusUnauthorized)
}

// Of plugins of one name, a request gets the most specific one: that of the consumer on this route, of the consumer,
// of the route, of the Service.
func (s scene) mostSpecificWins(t *testing.T) {
	routed, served := s.host("routed"), s.host("served")
	s.apply(t, facing("specific", "konghq.com/plugins: of-service, who"),
		withPlugins("routed", routed, "specific", "of-route, of-both"), ingress("served", served, "/", "specific"),
		tells("of-service"), tells("of-route"), tells("of-consumer"), tells("of-both"), tells("of-consumer-and-service"),
		kongPlugin("who", "key-auth", "{anonymous: "+s.ns+"-anyone}"), consumer(s.ns+"-anyone", ""),
		consumer("ida", ", konghq.com/plugins: of-consumer", "ida-key"), credential("ida-key", "key-auth", "key", s.ns+"-ida"),
		consumer("joe", ", konghq.com/plugins: of-both", "joe-key"), credential("joe-key", "key-auth", "key", s.ns+"-joe"))
	for _, c := range []struct {
		r    request
		want string
	}{
		{request{host: served}, "of-service"},
		{request{host: routed}, "of-route"},
		{key(routed, s.ns+"-ida"), "of-consumer"},
		{key(served, s.ns+"-ida"), "of-consumer"},
		{key(routed, s.ns+"-joe"), "of-both"},
		{key(served, s.ns+"-joe"), "of-service"},
	} {
		s.want(t, c.r, http.StatusOK, told(c.want))
	}
	// A plugin on a consumer and a Service is for that consumer there.
	s.apply(t, facing("specific", "konghq.com/plugins: of-service, who, of-consumer-and-service"),
		consumer("joe", ", konghq.com/plugins: 'of-both, of-consumer-and-service'", "joe-key"))
	s.want(t, key(served, s.ns+"-joe"), http.StatusOK, told("of-consumer-and-service"))
	s.want(t, key(routed, s.ns+"-joe"), http.StatusOK, told("of-both"))
	s.want(t, request{host: served}, http.StatusOK, told("of-service"))
}

// A plugin of another namespace is used as long as a ReferenceGrant permits it. Without the grant, the route is
// closed.
func (s scene) otherNamespace(t *testing.T) {
	other, host := s.cp.Namespace(t), s.host("granted")
	grant := func(kind string) string {
		return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: plugins}
spec:
  from: [{group: networking.k8s.io, kind: %s, namespace: %s}]
  to: [{group: configuration.konghq.com, kind: KongPlugin, name: shared}]
`, kind, s.ns)
	}
	s.cp.MustApply(t, other, tells("shared")+tells("secret"))
	s.apply(t, withPlugins("granted", host, "web", other+":shared"))
	s.want(t, request{host: host}, http.StatusServiceUnavailable, told(""))
	wantEvent(t, s.cp, s.ns, "granted", "RefNotPermitted")
	s.cp.MustApply(t, other, grant("Ingress"))
	s.want(t, request{host: host}, http.StatusOK, told("shared"))
	s.apply(t, withPlugins("granted", host, "web", other+":secret"))
	s.want(t, request{host: host}, http.StatusServiceUnavailable, told(""))
	s.apply(t, withPlugins("granted", host, "web", other+":shared"))
	s.want(t, request{host: host}, http.StatusOK, told("shared"))
	s.cp.MustApply(t, other, grant("NetworkPolicy"))
	s.want(t, request{host: host}, http.StatusServiceUnavailable, told(""))
}

// Values of Secrets are patched into a configuration.
func (s scene) configPatches(t *testing.T) {
	host := s.host("patched")
	secret := func(token string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: patches}\nstringData: {headers: '[\"x-token:" + token + "\"]', broken: '{'}\n"
	}
	plugin := func(key string) string {
		return `
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: patched}
plugin: request-transformer
config: {add: {querystring: ["plain:yes"]}}
configPatches: [{path: /add/headers, valueFrom: {secretKeyRef: {name: patches, key: ` + key + `}}}]
`
	}
	carries := func(token string) func(*http.Response, echoed) error {
		return func(_ *http.Response, e echoed) error {
			return same("what the backend is sent", e.Query+" "+e.Headers.Get("X-Token"), "plain=yes "+token)
		}
	}
	s.apply(t, withPlugins("patched", host, "web", "patched"), plugin("headers"), secret("one"))
	s.want(t, request{host: host}, http.StatusOK, carries("one"))
	s.apply(t, secret("two"))
	s.want(t, request{host: host}, http.StatusOK, carries("two"))
	s.apply(t, plugin("broken"))
	s.want(t, request{host: host}, http.StatusServiceUnavailable, nil)
	wantCondition(t, s.cp, kongPlugins, s.ns, "patched", "Programmed", "False")
	s.apply(t, plugin("headers"))
	s.want(t, request{host: host}, http.StatusOK, carries("two"))
}

// A plugin's configuration may refer to a secret in a KongVault, which is then the secret for signatures. If the vault
// or the secret does not exist, every request is refused, also one that is signed with an empty secret, which Kong
// alone would use.
func (s scene) vault(t *testing.T) {
	if lab.External() {
		lab.Skip(t, "needs a Kong with an environment of its own, and one is installed")
	}
	prefix := "v" + s.ns[len(s.ns)-5:]
	vault := fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1alpha1
kind: KongVault
metadata: {name: %s, annotations: {kubernetes.io/ingress.class: kong, konghq.com/vault-namespaces: %s}}
spec: {backend: env, prefix: %s, config: {prefix: KONG_VAULTED_}}
`, s.ns, s.ns, prefix)
	t.Cleanup(func() { _ = s.cp.Delete(context.WithoutCancel(t.Context()), "", vault) })
	s.apply(t, vault)
	for name, reference := range map[string]string{"signed": prefix + "/token", "unsaid": prefix + "/unsaid", "unvaulted": "unheard-of/token"} {
		s.apply(t, withPlugins(name, s.host(name), "web", name), kongPlugin(name, "standard-webhooks", "{secret_v1: '{vault://"+reference+"}'}"))
	}
	wantHook := func(name, secret string, status int) {
		t.Helper()
		eventually.Nil(t, time.Minute, func() error {
			got, err := hook(s.gw.HTTP, s.host(name), secret)
			if err != nil {
				return err
			}
			return same("status of what is signed with "+secret, got, status)
		})
	}
	wantCondition(t, s.cp, kongVaults, "", s.ns, "Programmed", "True")
	wantHook("signed", vaulted, http.StatusOK)
	wantHook("signed", "", http.StatusBadRequest)
	wantHook("unsaid", "", http.StatusServiceUnavailable)
	wantHook("unvaulted", "", http.StatusServiceUnavailable)
	wantCondition(t, s.cp, kongPlugins, s.ns, "unvaulted", "Programmed", "False")
	if err := s.cp.Delete(t.Context(), "", vault); err != nil {
		t.Fatal(err)
	}
	wantHook("signed", vaulted, http.StatusServiceUnavailable)
}

// vaulted is in the environment of Kong.
const vaulted = "from-the-vault"

// hook sends a request with a signature of Standard Webhooks, and returns the status.
func hook(address, host, secret string) (int, error) {
	const body = `{"type": "greeting"}`
	now := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "message-1.%s.%s", now, body)
	post, err := http.NewRequest(http.MethodPost, "http://"+address+"/", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	post.Host = host
	post.Header.Set("Webhook-Id", "message-1")
	post.Header.Set("Webhook-Timestamp", now)
	post.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	response, err := client.Do(post)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// A KongCustomEntity becomes an entity of Kong. One with an unknown type or field has that in its status, and affects
// nothing else.
func (s scene) customEntity(t *testing.T) {
	entity := func(name, kind, fields string) string {
		return fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1alpha1
kind: KongCustomEntity
metadata: {name: %s}
spec: {type: %s, controllerName: kong, fields: %s}
`, name, kind, fields)
	}
	if lab.External() {
		lab.Skip(t, "needs a gateway with CUSTOM_ENTITY_TYPES, and one is installed")
	}
	s.apply(t, entity("keys-of-partners", "key_sets", "{name: "+s.ns+"}"), entity("graph", "degraphql_routes", "{uri: /a, query: '{a}'}"),
		entity("unknown-field", "key_sets", "{title: "+s.ns+"-2}"))
	wantCondition(t, s.cp, kongCustomEntities, s.ns, "keys-of-partners", "Programmed", "True")
	wantCondition(t, s.cp, kongCustomEntities, s.ns, "graph", "Programmed", "False")
	wantCondition(t, s.cp, kongCustomEntities, s.ns, "unknown-field", "Programmed", "False")
	s.apply(t, ingress("later", s.host("later"), "/", "web"))
	s.want(t, request{host: s.host("later")}, http.StatusOK, nil)
	answer, err := s.gw.Admin().Get("http://kong/key-sets/" + s.ns)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("Kong answers %s when asked for the entity", answer.Status)
	}
}

// A disabled plugin does nothing, and closes no route.
func (s scene) disabled(t *testing.T) {
	host := s.host("idle")
	off := kongPlugin("idle", "key-auth", "{}")
	s.apply(t, withPlugins("idle", host, "web", "idle"), off)
	s.want(t, request{host: host}, http.StatusUnauthorized, nil)
	s.apply(t, off+"disabled: true\n")
	s.want(t, request{host: host}, http.StatusOK, nil)
}
