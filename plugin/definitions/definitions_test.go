package definitions

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/gomodule"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

var update = flag.Bool("update", false, "make the bundles of the modules")

// sources are where the modules have the definitions of a bundle.
var sources = map[string]struct{ module, files string }{
	GatewayAPI:             {"sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_[^v]*.yaml"},
	GatewayAPIExperimental: {"sigs.k8s.io/gateway-api", "config/crd/experimental/gateway.networking.k8s.io_[^v]*.yaml"},
	Kong:                   {"github.com/kong/kubernetes-configuration", "config/crd/ingress-controller*/*konghq.com_*.yaml"},
}

// TestBundles holds what is embedded to the modules in go.mod.
func TestBundles(t *testing.T) {
	for bundle, source := range sources {
		files, err := gomodule.Files(source.module, source.files)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want.WriteString("---\n" + strings.TrimSpace(strings.TrimPrefix(string(content), "---\n")) + "\n")
		}
		if *update {
			var packed bytes.Buffer
			w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
			_, _ = w.Write(want.Bytes())
			_ = w.Close()
			if err := os.WriteFile(bundle+".yaml.gz", packed.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := YAML(bundle); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s.yaml.gz is not what the module defines (%v); go test ./plugin/definitions -update makes it", bundle, err)
		}
	}
}

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
