package companion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
	entities "github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

const placeholder = "PLACEHOLDER"

// filtered is a route with a filter, which has the placeholder.
const filtered = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong, annotations: {konghq.com/gatewayclass-unmanaged: "true"}}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: kong, namespace: shop}
spec: {gatewayClassName: kong, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{name: kong}]
  rules: [{matches: [{path: {value: /a}}], filters: [%s], backendRefs: [{name: web, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
`

// TestFiltersAreWhatSchemasTake translates filters with values of all kinds, and asks Kong
// about the same values, by the schemas of the plugins. Both accept the same values.
func TestFiltersAreWhatSchemasTake(t *testing.T) {
	k := start(t, "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-http,kube-sync-cors")
	values := []string{"", "a", "A-b_c", "a b", " a", "a:b", "a/b", "a,b", "*", "a\nb", "a\r", "\x00", "a\tb", "\x7f", "\u0085", "ü", "$(a)", "%{x}", "\"q\"", "{vault://env/x}"}
	for name, filter := range map[string]string{
		"name":     `{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "PLACEHOLDER", "value": "x"}]}}`,
		"value":    `{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "x", "value": "PLACEHOLDER"}]}}`,
		"removed":  `{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["PLACEHOLDER"]}}`,
		"path":     `{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/PLACEHOLDER"}}}`,
		"prefix":   `{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/PLACEHOLDER"}}}`,
		"host":     `{"type": "URLRewrite", "urlRewrite": {"hostname": "aPLACEHOLDER"}}`,
		"location": `{"type": "RequestRedirect", "requestRedirect": {"hostname": "aPLACEHOLDER", "statusCode": 301}}`,
		"CORS":     `{"type": "CORS", "cors": {"allowOrigins": ["*"], "allowHeaders": ["aPLACEHOLDER"], "maxAge": 5}}`,
	} {
		t.Run(name, func(t *testing.T) {
			model, taken := pluginOf(t, filter)
			if !taken {
				t.Fatal("the filter itself is refused")
			}
			for _, value := range values {
				_, taken := pluginOf(t, strings.ReplaceAll(filter, placeholder, quoted(t, value)))
				code, answer := k.validate(strings.ReplaceAll(model, placeholder, quoted(t, value)))
				if (code == http.StatusOK) != taken {
					t.Errorf("%q: translated %t, by the schema %d %s", value, taken, code, answer)
				}
			}
		})
	}
}

// quoted is a value as the inside of a JSON string.
func quoted(t *testing.T, value string) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	// YAML takes no control characters as they are.
	return strings.NewReplacer("\x7f", `\u007f`, "\u0085", `\u0085`).Replace(string(text[1 : len(text)-1]))
}

// pluginOf translates a filter. It returns the plugin, and whether the filter is in it.
func pluginOf(t *testing.T, filter string) (plugin string, taken bool) {
	t.Helper()
	manifests, err := manifest.Read("filtered", strings.NewReader(fmt.Sprintf(filtered, filter)), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	g := translate.New(translate.Options{IngressClass: "kong"})
	for _, m := range manifests.Objects {
		g.Update(unit.Change{Key: m.Key, Object: m.Object})
	}
	for view := range g.Units() {
		for _, e := range view.Entities {
			if e.Type == entities.Plugins {
				plugin = string(e.JSON)
			}
		}
	}
	return plugin, !strings.Contains(plugin, `"status":500`)
}

// validate asks Kong about a plugin's configuration.
func (k *kong) validate(plugin string) (code int, answer string) {
	k.t.Helper()
	var entity struct {
		Name   string          `json:"name"`
		Config json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal([]byte(plugin), &entity); err != nil {
		k.t.Fatal(err)
	}
	body, err := json.Marshal(entity)
	if err != nil {
		k.t.Fatal(err)
	}
	response, err := k.client.Post(k.adminURL("/schemas/plugins/validate"), "application/json", bytes.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(said)
}
