package translate_test

import (
	"encoding/json"
	"strings"
	"testing"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// FuzzKongKinds tests that no field of Kong's kinds makes a translation panic, results in an invalid
// configuration or changes another object.
func FuzzKongKinds(f *testing.F) {
	f.Add("key-auth", []byte(`{"a":[{"x_by_lua":1}]}`), "/a/0/b", []byte(`"x"`), "ann", "key-auth", "auth, x:y")
	f.Add("", []byte(`nope`), "a", []byte(``), "", "jwt", "::,")
	f.Add("acme", []byte(`{"account_email":"`+strings.Repeat("a", 2000)+`","a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}`), "/a",
		[]byte("a: &a [x,x]\nb: [*a,*a]"), strings.Repeat("b", 300), "key-auth", strings.Repeat("p,", 300))
	f.Add("pre-function", []byte(`null`), "/-/~1", []byte(`[1]`), "\x00", "acl", ":")
	f.Fuzz(func(t *testing.T, plugin string, config []byte, path string, value []byte, name, credential, plugins string) {
		g := translate.New(translate.Options{IngressClass: "kong"})
		g.Update(app(1, 1)...)
		before := stateOf(g)

		g.Update(kongKinds(plugin, config, path, value, name, credential, plugins)...)
		for _, verdicts := range g.AllVerdicts() {
			for _, v := range verdicts {
				if v.Reason == "TranslationFailed" {
					t.Fatal(v)
				}
			}
		}
		var entities []*kong.Entity
		after := stateOf(g)
		for view := range g.Units() {
			entities = append(entities, view.Entities...)
			if was, ok := before.Units[view.ID]; ok && was != after.Units[view.ID] {
				t.Errorf("%s changed", view.ID)
			}
		}
		if body := kong.Declarative(kong.Sorted(entities)); !json.Valid(body) {
			t.Errorf("the configuration is not JSON: %s", body)
		}
	})
}

func kongKinds(plugin string, config []byte, path string, value []byte, name, credential, plugins string) []unit.Change {
	raw := apiextensionsv1.JSON{Raw: config}
	from := configurationv1.ConfigSource{SecretValue: configurationv1.SecretValueFromSource{Secret: "o1", Key: "key"}}
	secret := &corev1.Secret{ObjectMeta: meta("o1"), Data: map[string][]byte{
		"key": value, "group": value, "ttl": value, "secret": []byte(name), "algorithm": []byte(plugin)}}
	secret.Labels = map[string]string{"konghq.com/credential": credential}
	ingress := newIngress("fuzzed", "fuzzed.example")
	ingress.Annotations = map[string]string{"konghq.com/plugins": plugins}
	consumer := &configurationv1.KongConsumer{ObjectMeta: meta("c"), Username: name, CustomID: path, Credentials: []string{"o1"}}
	consumer.Annotations = map[string]string{"kubernetes.io/ingress.class": "kong", "konghq.com/plugins": plugins}
	vault := &configurationv1alpha1.KongVault{ObjectMeta: meta("v")}
	vault.Namespace, vault.Annotations = "", consumer.Annotations
	vault.Spec = configurationv1alpha1.KongVaultSpec{Backend: plugin, Prefix: name, Config: raw}
	entity := &configurationv1alpha1.KongCustomEntity{ObjectMeta: meta("e")}
	entity.Spec = configurationv1alpha1.KongCustomEntitySpec{EntityType: plugin, Fields: raw, ControllerName: "kong"}
	changes := []unit.Change{change(secret), change(ingress), change(consumer),
		{Key: unit.KongVault.Key("", "v"), Object: vault},
		{Key: unit.KongCustomEntity.Key("default", "e"), Object: entity},
		change(&configurationv1.KongPlugin{ObjectMeta: meta("auth"), PluginName: plugin, Config: raw, InstanceName: name,
			ConfigPatches: []configurationv1.ConfigPatch{{Path: path, ValueFrom: from}}}),
		change(&configurationv1.KongPlugin{ObjectMeta: meta("x"), PluginName: plugin, ConfigFrom: &from}),
	}
	return changes
}
