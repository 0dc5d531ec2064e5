package kongconf_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/plugin/settings"

	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
)

// TestNullDeletesAValue sets each value of values.yaml to null, by which Helm deletes a default. The chart is rendered, or the
// message names the value.
func TestNullDeletesAValue(t *testing.T) {
	var values map[string]any
	if err := yaml.Unmarshal([]byte(readFile(t, "chart/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for path := range paths(values, nil) {
		var nested any
		keys := strings.Split(path, ".")
		for i := len(keys) - 1; i >= 0; i-- {
			nested = map[string]any{keys[i]: nested}
		}
		text, err := yaml.Marshal(nested)
		if err != nil {
			t.Fatal(err)
		}
		_, err = helm.Render("chart", helm.Release{Name: "kong", Namespace: "kong", Values: string(text)})
		if err == nil {
			continue
		}
		refused++
		if last := keys[len(keys)-1]; strings.Contains(err.Error(), "nil pointer") || strings.Contains(err.Error(), "error calling") || !strings.Contains(err.Error(), last) {
			t.Errorf("with %s: null: %v", path, err)
		}
	}
	if refused == 0 {
		t.Error("no section is required")
	}
}

// paths returns the paths of all values, with dots between keys.
func paths(values map[string]any, above []string) map[string]bool {
	all := map[string]bool{}
	for key, value := range values {
		path := append(append([]string{}, above...), key)
		all[strings.Join(path, ".")] = true
		if section, ok := value.(map[string]any); ok {
			for below := range paths(section, path) {
				all[below] = true
			}
		}
	}
	return all
}

// TestNullSetting checks that a null leaves a setting of kube-sync, or of Kong, at its default.
func TestNullSetting(t *testing.T) {
	text := "kong: {log_level: null}\nsettings:\n"
	for _, s := range settings.Table() {
		text += "  " + generated.ValueKey(s.Name) + ": null\n"
	}
	if with, without := render(t, text).Manifests(), render(t, "{}").Manifests(); with != without {
		t.Errorf("the manifests differ from those of the defaults:\n%s", with)
	}
}
