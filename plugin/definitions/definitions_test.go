package definitions

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// TestAllKindsAreDefined: every custom kind that the gateway watches is in the bundles, in the version
// that it watches.
func TestAllKindsAreDefined(t *testing.T) {
	for _, gateway := range []string{GatewayAPI, GatewayAPIExperimental} {
		defined := map[string]bool{}
		for _, bundle := range []string{gateway, Kong} {
			manifests, err := YAML(bundle)
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range strings.Split(string(manifests), "---\n")[1:] {
				var d apiextensionsv1.CustomResourceDefinition
				if err := yaml.UnmarshalStrict([]byte(document), &d); err != nil {
					t.Fatal(err)
				}
				for _, v := range d.Spec.Versions {
					if v.Served {
						defined[d.Spec.Group+"/"+v.Name+"/"+d.Spec.Names.Plural] = true
					}
				}
			}
		}
		for _, kind := range kinds.All() {
			r := kind.Resource
			name := r.Group + "/" + r.Version + "/" + r.Resource
			if kind.Custom && kind.Name != unit.XListenerSet && !defined[name] { // it is what ListenerSets were

				t.Errorf("%s and %s do not define %s", gateway, Kong, name)
			}
		}
	}
}

func TestUnknownBundle(t *testing.T) {
	if _, err := YAML("nope"); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("error %v", err)
	}
}
