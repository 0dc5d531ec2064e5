package hostile

import (
	"fmt"
	"strings"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// with returns an Ingress with a plugin.
func with(p *configurationv1.KongPlugin, paths int) []unit.Change {
	return []unit.Change{change(p), change(service("web")), change(ingress(p.Name, paths, "plugins", p.Name))}
}

// large returns a configuration of a number of bytes, in strings of 60 000.
func large(bytes int) map[string]any {
	var bodies []string
	for ; bytes > 0; bytes -= 60_000 {
		bodies = append(bodies, "x:"+strings.Repeat("y", min(bytes, 60_000)))
	}
	return map[string]any{"add": map[string]any{"headers": bodies}}
}

func ofPlugins() []Attack {
	crowd := []unit.Change{change(plugin("heavy", "response-transformer", large(300_000))), change(service("web"))}
	for i := range 200 {
		crowd = append(crowd, change(ingress(fmt.Sprintf("heavy-%d", i), 25, "plugins", "heavy")))
	}
	bomb := plugin("bomb", "key-auth", nil)
	bomb.Config, bomb.ConfigFrom = apiextensionsv1.JSON{}, &configurationv1.ConfigSource{
		SecretValue: configurationv1.SecretValueFromSource{Secret: "bomb", Key: "config"}}
	patched := plugin("patched", "key-auth", map[string]any{})
	for i := range 10_000 {
		patched.ConfigPatches = append(patched.ConfigPatches, configurationv1.ConfigPatch{Path: fmt.Sprintf("/a/b%d", i),
			ValueFrom: configurationv1.ConfigSource{SecretValue: configurationv1.SecretValueFromSource{Secret: "patch", Key: "value"}}})
	}
	entity := &configurationv1alpha1.KongCustomEntity{ObjectMeta: meta("entity"), Spec: configurationv1alpha1.KongCustomEntitySpec{
		EntityType: "degraphql_routes", ControllerName: "kong", Fields: apiextensionsv1.JSON{Raw: []byte(`{"uri":"` + strings.Repeat("x", 1_000_000) + `"}`)}}}
	deep := plugin("deep", "key-auth", map[string]any{})
	deep.Config.Raw = []byte(`{"key_names":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`)
	return []Attack{
		{"an account_email of 300 KB", with(plugin("acme", "acme", map[string]any{"account_email": strings.Repeat("a", 300_000)}), 1), "LIMIT_PLUGIN_STRING_BYTES"},
		{"an account_email of 16 KB", with(plugin("email", "acme", map[string]any{"account_email": strings.Repeat("a", 16_000)}), 1), "Kong checks at most"},
		{"600 paths with a plugin of 500 KB", with(plugin("big", "response-transformer", large(500_000)), 600), "LIMIT_OBJECT_BYTES"},
		{"200 Ingresses of 25 paths with a plugin of 300 KB", crowd, "LIMIT_NAMESPACE_BYTES"},
		{"aliases of YAML that stand for 10 GB", append(with(bomb, 1), change(secret("bomb", "config", laughs(12)))), "aliases expanded"},
		{"10 000 patches of 100 KB", append(with(patched, 1), change(secret("patch", "value", `"`+strings.Repeat("x", 60_000)+`"`))), "LIMIT_PLUGIN_CONFIG_BYTES"},
		{"500 lists in one another", with(deep, 1), "deeper than 64 levels"},
		{"40 000 plugins", []unit.Change{change(ingress("plugins", 1, "plugins", list(most, "p%d")))}, "names more than 100 plugins"},
		{"40 000 tags", []unit.Change{change(ingress("tags", 600, "tags", list(most, "t%d")))}, "is not among the first 100 tags"},
		{"a rewrite of 250 KB", []unit.Change{change(ingress("rewrite", 600, "rewrite", "/"+strings.Repeat("a", most)))}, "at most 8192 bytes"},
		{"a custom entity of 1 MB", []unit.Change{change(entity)}, "LIMIT_PLUGIN_CONFIG_BYTES"},
	}
}

// laughs returns a YAML document whose aliases stand for 9 to the power of n strings.
func laughs(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [" + strings.TrimSuffix(strings.Repeat("lol,", 9), ",") + "]\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}
