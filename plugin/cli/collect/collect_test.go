package collect

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/plugin/cli/doctor"
	"github.com/kube-sync/kube-sync/plugin/cli/input"
	"github.com/kube-sync/kube-sync/plugin/definitions"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// TestMain runs the tests in a lab, which has an API server.
func TestMain(m *testing.M) { lab.Main(m) }

// canaries makes secrets that are all different, and of which no other text has a part.
type canaries struct{ made []string }

func (c *canaries) next() string {
	secret := fmt.Sprintf("CaNaRy%04d/ü+%x", len(c.made), (len(c.made)+1)*7919)
	c.made = append(c.made, secret)
	return secret
}

// world are objects of all kinds, with a canary wherever CANARY stands. BASE64 stands for a canary in
// base64.
const world = `
apiVersion: v1
kind: Secret
metadata: {name: tls, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":"CANARY"}', note: CANARY}}
type: kubernetes.io/tls
data: {tls.crt: BASE64, tls.key: BASE64}
---
apiVersion: v1
kind: Secret
metadata: {name: key, labels: {konghq.com/credential: key-auth}}
stringData: {key: CANARY}
---
apiVersion: v1
kind: Secret
metadata: {name: basic, labels: {konghq.com/credential: basic-auth}}
stringData: {username: bob, password: CANARY}
---
apiVersion: v1
kind: Secret
metadata: {name: hmac, labels: {konghq.com/credential: hmac-auth}}
stringData: {username: bob, secret: CANARY}
---
apiVersion: v1
kind: Secret
metadata: {name: jwt, labels: {konghq.com/credential: jwt}}
stringData: {key: CANARY, algorithm: HS256, secret: CANARY}
---
apiVersion: v1
kind: Secret
metadata: {name: oauth2, labels: {konghq.com/credential: oauth2}}
stringData: {name: app, client_id: CANARY, client_secret: CANARY, redirect_uris: 'https://user:CANARY@a.example'}
---
apiVersion: v1
kind: Secret
metadata: {name: settings}
stringData: {config: '{"access_token": "CANARY", "uri": "https://user:CANARY@a.example/"}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: CANARY}
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: bob, annotations: {kubernetes.io/ingress.class: kong, kubectl.kubernetes.io/last-applied-configuration: CANARY}}
username: bob
credentials: [key, basic, hmac, jwt, oauth2]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: from-secret, annotations: {other.example/token: CANARY}}
plugin: pre-function
configFrom: {secretKeyRef: {name: settings, key: config}}
---
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: everywhere, annotations: {kubernetes.io/ingress.class: kong}, labels: {global: 'true'}}
plugin: http-log
config: {http_endpoint: 'https://user:CANARY@a.example/?token=CANARY', headers: {authorization: CANARY}}
---
apiVersion: configuration.konghq.com/v1alpha1
kind: KongVault
metadata: {name: vault, annotations: {kubernetes.io/ingress.class: kong}}
spec: {backend: hcv, prefix: vault-a, config: {token: CANARY, host: CANARY}}
---
apiVersion: configuration.konghq.com/v1alpha1
kind: KongCustomEntity
metadata: {name: entity}
spec: {type: key_sets, controllerName: kong, fields: {name: CANARY}}
---
apiVersion: configuration.konghq.com/v1
kind: KongIngress
metadata: {name: old}
upstream: {healthchecks: {active: {headers: {authorization: [CANARY]}}}}
---
apiVersion: configuration.konghq.com/v1beta1
kind: KongUpstreamPolicy
metadata: {name: policy}
spec: {healthchecks: {active: {type: http, headers: {authorization: [CANARY]}}}}
---
apiVersion: v1
kind: Service
metadata: {name: api, annotations: {konghq.com/upstream-policy: policy, external.example/password: CANARY}}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {konghq.com/headers.x-token: CANARY, konghq.com/plugins: 'from-secret', docs: 'https://user:CANARY@a.example/'}}
spec:
  ingressClassName: kong
  tls: [{hosts: [a.example], secretName: tls}]
  rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec:
  parentRefs: [{name: kong}]
  rules:
  - matches: [{headers: [{name: x-token, value: CANARY}], queryParams: [{name: token, value: CANARY}]}]
    filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: authorization, value: CANARY}], add: [{name: x-key, value: CANARY}]}}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: set-cookie, value: CANARY}]}}
    backendRefs: [{name: api, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: grpc}
spec:
  parentRefs: [{name: kong}]
  rules: [{matches: [{headers: [{name: x-token, value: CANARY}]}], backendRefs: [{name: api, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: kong, annotations: {acme.example/key: CANARY}}
spec:
  gatewayClassName: kong
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: v1
kind: Event
metadata: {name: event}
involvedObject: {kind: KongPlugin, namespace: NAMESPACE, name: from-secret}
reason: KongConfigurationApplyFailed
message: "config.token: invalid value AGAIN"
source: {component: kube-sync}
---
apiVersion: v1
kind: Pod
metadata: {name: gateway-1, labels: {app.kubernetes.io/part-of: kube-sync}}
spec:
  automountServiceAccountToken: false
  containers:
  - name: kong
    image: example.com/kong
    args: [--token=CANARY]
    env:
    - {name: KONG_PG_PASSWORD, value: CANARY}
    - {name: OTHER, value: CANARY}
    - {name: KONG_PLUGINSERVER_KUBE_SYNC_INGRESS_CLASS, value: kong}
    - {name: KONG_PLUGINSERVER_KUBE_SYNC_APISERVER_HOST, value: 'https://user:CANARY@10.0.0.1:6443'}
`

// planted returns the manifests with canaries.
func (c *canaries) planted(text string) string {
	for strings.Contains(text, "CANARY") || strings.Contains(text, "BASE64") {
		plain, encoded := strings.Index(text, "CANARY"), strings.Index(text, "BASE64")
		if encoded < 0 || plain >= 0 && plain < encoded {
			text = strings.Replace(text, "CANARY", c.next(), 1)
		} else {
			text = strings.Replace(text, "BASE64", base64.StdEncoding.EncodeToString([]byte(c.next())), 1)
		}
	}
	return strings.ReplaceAll(text, "AGAIN", c.made[3])
}

// TestNoCanaryIsCollected plants canaries into every field of every kind that may hold a secret, in a
// real API server, and looks for them in the bundle in all encodings.
func TestNoCanaryIsCollected(t *testing.T) {
	cp := lab.Shared(t)
	for _, bundle := range []string{definitions.GatewayAPI, definitions.Kong} {
		text, err := definitions.YAML(bundle)
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "default", string(text))
	}
	planted := &canaries{}
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, planted.planted(strings.ReplaceAll(world, "NAMESPACE", namespace)))
	cp.MustApply(t, namespace, planted.pluginsWithSecrets(t))

	files := bundle(t, cp.Config)
	for _, name := range []string{"version.txt", "doctor.txt", "configuration.json", "diagnostics.txt", "left-out.txt", "objects/Secret.yaml", "objects/KongPlugin.yaml", "objects/Ingress.yaml",
		"objects/KongVault.yaml", "objects/KongCustomEntity.yaml", "objects/HTTPRoute.yaml", "pods/" + namespace + "-gateway-1.yaml", "events/" + namespace + "-gateway-1.txt"} {
		if len(files[name]) == 0 {
			t.Errorf("the bundle has no %s, only %v", name, slices.Sorted(maps.Keys(files)))
		}
	}
	for name, text := range files {
		for _, secret := range planted.made {
			if form := leaked(name+text, secret); form != "" {
				t.Errorf("%s has the canary %s as %s", name, secret, form)
			}
		}
	}
	// What is no secret is there.
	for name, part := range map[string]string{"objects/Ingress.yaml": "a.example", "configuration.json": "lower(http.host)", "objects/KongPlugin.yaml": "redis",
		"objects/KongConsumer.yaml": "- jwt", "objects/Secret.yaml": "tls.key: '***'", "pods/" + namespace + "-gateway-1.yaml": "KONG_PLUGINSERVER_KUBE_SYNC_INGRESS_CLASS: kong"} {
		if !strings.Contains(files[name], part) {
			t.Errorf("%s lacks %q:\n%s", name, part, files[name])
		}
	}
}

// leaked returns in which form a text has a secret; "" if it has none.
func leaked(text, secret string) string {
	quoted, _ := json.Marshal(secret)
	forms := map[string]string{
		"plain": secret, "JSON": strings.Trim(string(quoted), `"`), "query": url.QueryEscape(secret), "path": url.PathEscape(secret),
		"hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"base64": base64.RawStdEncoding.EncodeToString([]byte(secret)), "base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"its start": secret[:10],
	}
	for form, encoded := range forms {
		if strings.Contains(text, encoded) {
			return form
		}
	}
	return ""
}

func bundle(t *testing.T, config *rest.Config) map[string]string {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	clients, err := cluster.NewClients(config, 500, 1000, quiet)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := cluster.TakeSnapshot(t.Context(), cluster.Options{RESTConfig: config, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	c := Collector{
		Version: "test", Doctor: doctor.Doctor{Clients: clients, HTTP: client, Server: config.Host}, Objects: input.FromSnapshot(snapshot), Now: time.Now(),
		Options: func(p doctor.Patient) translate.Options {
			options := p.Settings.Translation(translate.Options{}.Gateway.Relay)
			options.Gateway.AnyPort, options.Tenancy.AllowLua = true, true
			options.Tenancy.CustomEntityTypes = []string{"key_sets"}
			return options
		},
	}
	var out bytes.Buffer
	if _, err := c.Write(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return unpack(t, &out)
}

func unpack(t *testing.T, from io.Reader) map[string]string {
	t.Helper()
	plain, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
		files[name] = string(text)
	}
}

// pluginsWithSecrets returns a KongPlugin for each of Kong's plugins that has fields which Kong
// encrypts, or resolves from vaults. Each such field has a canary.
func (c *canaries) pluginsWithSecrets(t *testing.T) string {
	t.Helper()
	kong := kongtest.Start(t, kongtest.Options{})
	var root struct {
		Plugins struct {
			Available map[string]any `json:"available_on_server"`
		} `json:"plugins"`
	}
	ask(t, kong, "/", &root)
	var manifests []string
	fields := 0
	for _, name := range slices.Sorted(maps.Keys(root.Plugins.Available)) {
		var schema struct {
			Fields []map[string]schemaField `json:"fields"`
		}
		ask(t, kong, "/schemas/plugins/"+name, &schema)
		config := map[string]any{}
		for _, field := range schema.Fields {
			if f, ok := field["config"]; ok {
				config, _ = c.secretsOf(f).(map[string]any)
			}
		}
		if len(config) == 0 {
			continue
		}
		fields += len(config)
		text, err := yaml.Marshal(map[string]any{"apiVersion": "configuration.konghq.com/v1", "kind": "KongPlugin", "metadata": map[string]any{"name": name}, "plugin": name, "config": config})
		if err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, string(text))
	}
	if len(manifests) < 10 || fields < 20 {
		t.Errorf("Kong has only %d plugins with %d fields that may be secret", len(manifests), fields)
	}
	return strings.Join(manifests, "---\n")
}

func ask(t *testing.T, kong *kongtest.Kong, path string, answer any) {
	t.Helper()
	response, err := kong.Admin().Get("http://kong" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", path, response.StatusCode, err)
	}
}

// schemaField is a field of a schema of Kong.
type schemaField struct {
	Type          string                   `json:"type"`
	Fields        []map[string]schemaField `json:"fields"`
	Elements      *schemaField             `json:"elements"`
	Values        *schemaField             `json:"values"`
	Referenceable bool                     `json:"referenceable"`
	Encrypted     bool                     `json:"encrypted"`
}

// secretsOf returns a value with canaries in the fields that may be secret; nil without any.
func (c *canaries) secretsOf(f schemaField) any {
	if f.Referenceable || f.Encrypted {
		switch f.Type {
		case "map":
			return map[string]any{"x-name": c.next()}
		case "array", "set":
			return []any{c.next()}
		}
		return c.next()
	}
	switch {
	case f.Type == "record":
		found := map[string]any{}
		for _, field := range f.Fields {
			for name, nested := range field {
				if value := c.secretsOf(nested); value != nil {
					found[name] = value
				}
			}
		}
		if len(found) > 0 {
			return found
		}
	case f.Elements != nil:
		if value := c.secretsOf(*f.Elements); value != nil {
			return []any{value}
		}
	case f.Values != nil:
		if value := c.secretsOf(*f.Values); value != nil {
			return map[string]any{"x-name": value}
		}
	}
	return nil
}

// TestScrubbing removes secrets from texts that nobody redacts, such as logs.
func TestScrubbing(t *testing.T) {
	const secret = "s3cr3t/ü+value"
	s := newScrubber()
	s.learn(secret)
	s.learn("-----BEGIN PRIVATE KEY-----\nMIIabcdefghijkl\n-----END PRIVATE KEY-----\n")
	text := "plain " + secret + " query " + url.QueryEscape(secret) + " hex " + hex.EncodeToString([]byte(secret)) + " https://user:pw@host/ " +
		"base64 " + base64.StdEncoding.EncodeToString([]byte(secret)) + " basic " + base64.StdEncoding.EncodeToString([]byte("bob:"+secret)) +
		" url " + base64.URLEncoding.EncodeToString([]byte("ab"+secret+"x")) + " key MIIabcdefghijkl and the rest"
	got := string(s.scrub([]byte(text)))
	for _, part := range []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret)), "user:pw", "MIIabcdefghijkl"} {
		if strings.Contains(got, part) {
			t.Errorf("%q is left in %q", part, got)
		}
	}
	for _, word := range strings.Fields(got) {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			if plain, err := encoding.DecodeString(word); err == nil && strings.Contains(string(plain), "s3cr3t") {
				t.Errorf("%q is left, which is %q", word, plain)
			}
		}
	}
	if !strings.Contains(got, "and the rest") {
		t.Errorf("too much is gone: %q", got)
	}
}
