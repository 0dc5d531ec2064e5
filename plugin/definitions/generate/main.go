// Command generate writes the bundles of package definitions from the modules that define the custom kinds.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/kube-sync/kube-sync/e2e/gomodule"
	"github.com/kube-sync/kube-sync/plugin/definitions"
)

// sources are where the modules have the definitions of each bundle.
var sources = map[string]struct{ module, files string }{
	definitions.GatewayAPI:             {"sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_[^v]*.yaml"},
	definitions.GatewayAPIExperimental: {"sigs.k8s.io/gateway-api", "config/crd/experimental/gateway.networking.k8s.io_[^v]*.yaml"},
	definitions.Kong:                   {"github.com/kong/kubernetes-configuration", "config/crd/ingress-controller*/*konghq.com_*.yaml"},
}

func main() {
	for bundle := range sources {
		manifests, err := manifestsOf(bundle)
		if err == nil {
			err = gomodule.WriteGzip(bundle+".yaml.gz", manifests)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "generate %s.yaml.gz: %v\n", bundle, err)
			os.Exit(1)
		}
	}
}

// manifestsOf returns the definitions of a bundle as YAML.
func manifestsOf(bundle string) ([]byte, error) {
	source := sources[bundle]
	files, err := gomodule.Files(source.module, source.files)
	if err != nil {
		return nil, err
	}
	var manifests bytes.Buffer
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		manifests.WriteString("---\n" + strings.TrimSpace(strings.TrimPrefix(string(content), "---\n")) + "\n")
	}
	return manifests.Bytes(), nil
}
