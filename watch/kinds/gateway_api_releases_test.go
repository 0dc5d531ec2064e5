package kinds

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestMain runs the tests in a lab, which fetches the definitions of older releases.
func TestMain(m *testing.M) {
	for _, version := range gatewayReleases {
		lab.NeedModule(lab.GatewayAPI, version)
	}
	lab.MainWithoutControlPlane(m)
}

// gatewayReleases are the earlier releases of Gateway API whose definitions a cluster may
// have.
var gatewayReleases = []string{"v1.1.1", "v1.2.1", "v1.3.0", "v1.4.1", "v1.5.1"}

// Every kind that a release defines is read in the newest version that it serves and that we
// know. The status of a listener gets the fields that the release requires.
func TestEveryReleaseIsRead(t *testing.T) {
	for _, release := range gatewayReleases {
		for _, channel := range []string{"standard", "experimental"} {
			defined := definitionsOf(t, filepath.Join(lab.ModuleVersion(t, lab.GatewayAPI, release), "config/crd", channel))
			if len(defined) < 5 {
				t.Errorf("%s %s: %d definitions", release, channel, len(defined))
			}
			for _, kind := range gatewayAPI {
				definition, ok := defined[kind.Resource.GroupResource().String()]
				if !ok {
					continue // of a later release, or the other channel
				}
				version := readOf(kind, definition)
				if version == nil {
					t.Errorf("%s %s: %s is not read", release, channel, kind.Name)
					continue
				}
				if kind.Complete == nil && requiresKinds(version.Schema.OpenAPIV3Schema) {
					t.Errorf("%s %s: %s requires the kinds of listeners in its status", release, channel, kind.Name)
				}
			}
		}
	}
}

// readOf returns the version of a definition that is read; nil for none.
func readOf(kind Kind, definition apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinitionVersion {
	for _, name := range kind.Versions() {
		i := slices.IndexFunc(definition.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
			return v.Name == name && v.Served
		})
		if i >= 0 {
			return &definition.Spec.Versions[i]
		}
	}
	return nil
}

func requiresKinds(schema *apiextensionsv1.JSONSchemaProps) bool {
	listeners := schema.Properties["status"].Properties["listeners"]
	return listeners.Items != nil && slices.Contains(listeners.Items.Schema.Required, "supportedKinds")
}

func definitionsOf(t *testing.T, dir string) map[string]apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]apiextensionsv1.CustomResourceDefinition{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(content), "\n---\n") {
			var d apiextensionsv1.CustomResourceDefinition
			if yaml.Unmarshal([]byte(document), &d) == nil && d.Kind == "CustomResourceDefinition" {
				defined[d.Name] = d
			}
		}
	}
	return defined
}

// Kinds are read in the group of their name, and those that only some releases have are custom.
func TestGroups(t *testing.T) {
	for _, kind := range All() {
		if kind.Resource.Group != kind.Name.Group() {
			t.Errorf("%s is read as %v, and its group is %q", kind.Name, kind.Resource, kind.Name.Group())
		}
	}
	for _, name := range []unit.Kind{unit.XListenerSet, unit.ListenerSet, unit.BackendTLSPolicy} {
		if !named(t, name).Custom {
			t.Errorf("%s is not custom", name)
		}
	}
}

func named(t *testing.T, name unit.Kind) Kind {
	t.Helper()
	for _, kind := range All() {
		if kind.Name == name {
			return kind
		}
	}
	t.Fatalf("no kind %s", name)
	return Kind{}
}
