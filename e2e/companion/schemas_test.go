package companion

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	kongs "github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// batch is the number of KongPlugins that change at once.
	batch = 100
	// sample is the number of variants without COMPANION_VARIANTS=all.
	sample = 1200
)

// TestSchemasOfPlugins sets each field of each bundled plugin to values of wrong types and sizes, in
// KongPlugins of one namespace, while an Ingress of another namespace changes. Kong gets each KongPlugin,
// or it is rejected with a reason and requests to its Ingress are refused. No worker ends, and the change
// of the other namespace takes effect in all workers with the same call.
func TestSchemasOfPlugins(t *testing.T) {
	k := start(t, "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-closed")
	all := k.variants()
	count := len(all)
	if os.Getenv("COMPANION_VARIANTS") != "all" {
		all = sampled(all, sample)
	}
	s := newSchemas(k)
	pids := k.Workers()
	accepted := 0
	for i, b := range slices.Collect(slices.Chunk(all, batch)) {
		accepted += s.try(b, i%10 == 9)
		if now := k.Workers(); !slices.Equal(now, pids) {
			t.Fatalf("workers were %v and are %v, after %s", pids, now, b)
		}
	}
	slices.Sort(s.together)
	slices.Sort(s.alone)
	t.Logf("%d of %d variants, %d accepted; a change with %d of them was effective within %v (p50) and %v (at most), one after them within %v and %v",
		len(all), count, accepted, batch, s.together[len(s.together)/2], s.together[len(s.together)-1], s.alone[len(s.alone)/2], s.alone[len(s.alone)-1])
}

// sampled returns some items of a list, spread over all of it.
func sampled[T any](all []T, n int) []T {
	var some []T
	for i := range min(n, len(all)) {
		some = append(some, all[i*len(all)/n])
	}
	return some
}

// schemas applies variants like a gateway with two namespaces.
type schemas struct {
	k       *kong
	graph   *unit.Graph
	gateway *gateway.Gateway
	changes int
	last    gateway.Outcome
	// together and alone are how long the other namespace's changes took.
	together, alone []time.Duration
}

type noRelay struct{}

func (noRelay) Add([]*kongs.Entity)    {}
func (noRelay) Remove([]*kongs.Entity) {}
func (noRelay) Keep([]*kongs.Entity)   {}

func newSchemas(k *kong) *schemas {
	k.t.Helper()
	admin, err := adminapi.NewClient(k.adminURL(""), 30*time.Second)
	if err != nil {
		k.t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	s := &schemas{k: k, graph: translate.New(translate.Options{IngressClass: "kong"}), gateway: gateway.New(admin, noRelay{})}
	var first []unit.Change
	for _, namespace := range []string{"shop", "attacker"} {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"}}
		service.Spec.Ports = []corev1.ServicePort{{Port: 80}}
		first = append(first, changeOf(unit.Service, service))
	}
	s.apply(nil, append(first, s.change())...)
	k.Eventually("the first configuration", func() bool { return k.status().Ready })
	return s
}

func changeOf(kind unit.Kind, object unit.Object) unit.Change {
	return unit.Change{Key: unit.Key{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}, Object: object}
}

// change returns the next change of the other namespace.
func (s *schemas) change() unit.Change {
	s.changes++
	return ingress("shop", "web", fmt.Sprintf("/%d", s.changes), "")
}

func ingress(namespace, name, path, plugin string) unit.Change {
	class, exact := "kong", networkingv1.PathTypeExact
	ing := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if plugin != "" {
		ing.Annotations = map[string]string{"konghq.com/plugins": plugin}
	}
	ing.Spec.IngressClassName = &class
	ing.Spec.Rules = []networkingv1.IngressRule{{Host: name + "." + namespace + ".test"}}
	ing.Spec.Rules[0].HTTP = &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
		Path: path, PathType: &exact,
		Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}},
	}}}
	return changeOf(unit.Ingress, ing)
}

// apply applies changed objects.
func (s *schemas) apply(changed map[unit.ID]struct{}, objects ...unit.Change) gateway.Outcome {
	s.k.t.Helper()
	result := s.graph.Update(objects...)
	if changed != nil {
		changed = result.Units
	}
	for {
		outcome, err := s.gateway.Apply(context.Background(), s.graph, changed)
		if err != nil {
			s.k.t.Fatalf("%v\n%s", err, s.k.Complaints())
		}
		if changed = outcome.Left; len(changed) == 0 {
			return outcome
		}
	}
}

// try applies variants, and changes of the other namespace with them and after them. It
// returns how many of the variants Kong has.
func (s *schemas) try(variants []variant, full bool) (accepted int) {
	t := s.k.t
	t.Helper()
	var changes []unit.Change
	for i, v := range variants {
		name := fmt.Sprintf("p%d", i)
		plugin := &configurationv1.KongPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "attacker", Name: name}, PluginName: v.plugin}
		plugin.Config = apiextensionsv1.JSON{Raw: v.config}
		changes = append(changes, changeOf(unit.KongPlugin, plugin), ingress("attacker", name, "/", name))
	}
	deltas := map[unit.ID]struct{}{}
	if full {
		s.gateway.ForceFullLoad()
	}
	s.together = append(s.together, s.timed(deltas, append(changes, s.change())...))
	outcome := s.last
	if took := s.together[len(s.together)-1]; took > 5*time.Second {
		t.Logf("%v for %s and others, everything %t, in %d rounds", took, variants[0], !outcome.Delta, outcome.Rounds)
	}
	s.alone = append(s.alone, s.timed(deltas, s.change()))

	told := map[unit.Key]string{}
	for _, r := range outcome.Refusals {
		told[r.Object] = strings.Join(r.Messages, "; ")
	}
	held := s.k.plugins()
	for i, v := range variants {
		name := fmt.Sprintf("p%d", i)
		why, refused := told[unit.Key{Kind: unit.KongPlugin, Namespace: "attacker", Name: name}]
		for _, kind := range []unit.Kind{unit.KongPlugin, unit.Ingress} {
			for _, verdict := range s.graph.Verdicts(unit.Key{Kind: kind, Namespace: "attacker", Name: name}) {
				if !verdict.OK {
					why += verdict.Message
				}
			}
		}
		switch there := held["attacker/"+name]; {
		case there == v.plugin && !refused:
			accepted++
		case there == refusing && why != "":
		default:
			t.Errorf("%s: Kong has %q, refused %t: %q", v, there, refused, why)
		}
	}
	return accepted
}

// timed returns the time until all workers use changes, the last of which is one of the other
// namespace.
func (s *schemas) timed(changed map[unit.ID]struct{}, objects ...unit.Change) time.Duration {
	s.k.t.Helper()
	begun := time.Now()
	s.last = s.apply(changed, objects...)
	if !s.last.Effective {
		s.k.Eventually("the change in all workers", func() bool { return s.k.status().Ready })
	}
	took := time.Since(begun)
	for range 8 { // by any of the workers; the Service has no endpoints
		if wrong, _ := s.k.try(want{host: "web.shop.test", path: fmt.Sprintf("/%d", s.changes), code: http.StatusServiceUnavailable}); wrong != "" {
			s.k.t.Errorf("change %d: %s", s.changes, wrong)
		}
	}
	return took
}

// refusing is the name of the plugin that answers 503 in place of another one.
const refusing = "a refusal"

// plugins returns the names of Kong's plugins by the object in their tags, except for plugins of
// several objects.
func (k *kong) plugins() map[string]string {
	k.t.Helper()
	found := map[string]string{}
	for path := "/plugins?size=1000"; path != ""; {
		_, page, _ := ask[struct {
			Data []struct {
				Name   string
				Tags   []string
				Config struct{ Status any }
			}
			Next *string
		}](k, http.MethodGet, path, "application/json", nil)
		for _, p := range page.Data {
			var namespace, name string
			for _, tag := range p.Tags {
				if after, ok := strings.CutPrefix(tag, "k8s-namespace:"); ok {
					namespace = after
				}
				if after, ok := strings.CutPrefix(tag, "k8s-name:"); ok {
					name = after
				}
			}
			if p.Name == "ip-restriction" && p.Config.Status == float64(http.StatusServiceUnavailable) {
				p.Name = refusing
			}
			found[namespace+"/"+name] = p.Name
		}
		if path = ""; page.Next != nil {
			path = *page.Next
		}
	}
	return found
}

// variant is the configuration of a plugin with one field that may be wrong.
type variant struct {
	plugin, field string
	config        json.RawMessage
}

func (v variant) String() string {
	return fmt.Sprintf("%s %s in %.200s", v.plugin, v.field, v.config)
}

// fieldSchema is a field's schema in Kong's Admin API.
type fieldSchema struct {
	Type       string                   `json:"type"`
	Required   bool                     `json:"required"`
	Default    json.RawMessage          `json:"default"`
	OneOf      []any                    `json:"one_of"`
	Between    []float64                `json:"between"`
	Fields     []map[string]fieldSchema `json:"fields"`
	Shorthands []map[string]fieldSchema `json:"shorthand_fields"`
	Elements   *fieldSchema             `json:"elements"`
	Values     *fieldSchema             `json:"values"`
}

// complete are valid configurations of plugins whose required fields alone are not valid.
var complete = map[string]string{
	"acl": `{"allow":["x"]}`, "acme": `{"account_email":"a@x.test"}`, "ai-prompt-decorator": `{"prompts":{"prepend":[{"role":"system","content":"x"}]}}`,
	"ai-prompt-guard": `{"allow_patterns":["x"]}`, "http-log": `{"http_endpoint":"http://10.0.0.1"}`, "ip-restriction": `{"allow":["10.0.0.1"]}`,
	"oauth2": `{"enable_client_credentials":true,"provision_key":"x"}`, "opentelemetry": `{"traces_endpoint":"http://10.0.0.1"}`,
	"post-function": `{"access":["return"]}`, "pre-function": `{"access":["return"]}`, "rate-limiting": `{"minute":5,"policy":"local"}`,
	"redirect": `{"location":"http://x.test"}`, "response-ratelimiting": `{"limits":{"x":{"minute":5}},"policy":"local"}`,
}

// variants returns the variants of all bundled plugins.
func (k *kong) variants() (all []variant) {
	k.t.Helper()
	_, enabled, _ := ask[struct {
		Plugins []string `json:"enabled_plugins"`
	}](k, http.MethodGet, "/plugins/enabled", "application/json", nil)
	for _, plugin := range enabled.Plugins {
		if strings.HasPrefix(plugin, "kube-sync") {
			continue
		}
		_, schema, _ := ask[fieldSchema](k, http.MethodGet, "/schemas/plugins/"+plugin, "application/json", nil)
		for _, field := range schema.Fields {
			config, ok := field["config"]
			if !ok {
				continue
			}
			good, _ := config.good().(map[string]any)
			if said := complete[plugin]; said != "" {
				good = map[string]any{}
				if err := json.Unmarshal([]byte(said), &good); err != nil {
					k.t.Fatal(err)
				}
			}
			body, _ := json.Marshal(map[string]any{"name": plugin, "config": good})
			if code, _, _ := ask[answer](k, http.MethodPost, "/schemas/plugins/validate", "application/json", body); code != http.StatusOK {
				k.t.Errorf("%s is not a configuration to start from", body)
			}
			for _, path := range config.paths(nil) {
				for _, value := range values {
					with, err := json.Marshal(with(good, path, value))
					if err != nil {
						k.t.Fatal(err)
					}
					all = append(all, variant{plugin, strings.Join(path, "."), with})
				}
			}
		}
	}
	return all
}

// good returns a valid value of the field.
func (f fieldSchema) good() any {
	switch {
	case len(f.OneOf) > 0:
		return f.OneOf[0]
	case len(f.Between) > 0:
		return max(1, f.Between[0])
	}
	switch f.Type {
	case "integer", "number":
		return 1
	case "boolean":
		return true
	case "array", "set":
		return []any{f.Elements.good()}
	case "map":
		return map[string]any{"x": f.Values.good()}
	case "record":
		fields := map[string]any{}
		for _, field := range f.Fields {
			for name, inner := range field {
				if inner.Required && inner.Default == nil {
					fields[name] = inner.good()
				}
			}
		}
		return fields
	}
	return "x"
}

// paths returns the paths of all fields below: names in records, "#" for the element of a list, and
// "*" for the value of a map.
func (f fieldSchema) paths(at []string) (all [][]string) {
	below := func(name string, inner fieldSchema) {
		path := append(slices.Clone(at), name)
		all = append(append(all, path), inner.paths(path)...)
	}
	for _, field := range slices.Concat(f.Fields, f.Shorthands) {
		for name, inner := range field {
			below(name, inner)
		}
	}
	if f.Elements != nil {
		below("#", *f.Elements)
	}
	if f.Values != nil {
		below("*", *f.Values)
	}
	return all
}

// with returns a copy of a value with another value at a path.
func with(in any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	switch path[0] {
	case "#":
		list, _ := in.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		list = slices.Clone(list)
		list[0] = with(list[0], path[1:], value)
		return list
	case "*":
		path = append([]string{"x"}, path[1:]...)
	}
	fields := map[string]any{}
	if old, ok := in.(map[string]any); ok {
		for name, field := range old {
			fields[name] = field
		}
	}
	fields[path[0]] = with(fields[path[0]], path[1:], value)
	return fields
}

// values are the values for fields.
var values = func() []any {
	many, keys, deep := make([]any, 1000), map[string]any{}, any("x")
	for i := range many {
		many[i] = fmt.Sprint(i)
		keys[fmt.Sprint(i)] = i
	}
	for range 100 {
		deep = []any{map[string]any{"x": deep}}
	}
	return []any{
		nil, true, 0, -1, 5, 1.5, 1e308, 1 << 53,
		"", "x", "5", " \n", "\x00", "%s%d(((", "[::1", "http://", "{vault://x/y}", "\u00e4\U0001F600",
		strings.Repeat("a", 1000), strings.Repeat("a@.", 21_000), strings.Repeat("/:", 32_000),
		[]any{}, []any{5}, []any{nil, []any{}}, many, map[string]any{}, keys, deep,
	}
}()
