// Command generate writes watch/schema/definitions.json.gz from the modules that define the custom kinds.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/gomodule"
)

// sources are where the modules have their definitions. The experimental channel of Gateway
// API has all fields, and the standard one the values that any cluster takes.
var sources = []struct{ list, module, files string }{
	{"all", "github.com/kong/kubernetes-configuration", "config/crd/ingress-controller*/*konghq.com_*.yaml"},
	{"all", "sigs.k8s.io/gateway-api", "config/crd/experimental/gateway.networking.k8s.io_*.yaml"},
	{"standard", "sigs.k8s.io/gateway-api", "config/crd/standard/gateway.networking.k8s.io_*.yaml"},
}

func main() {
	all, err := definitions()
	if err == nil {
		err = gomodule.WriteGzip("definitions.json.gz", all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate definitions.json.gz:", err)
		os.Exit(1)
	}
}

// definitions returns the definitions by list as JSON, without the descriptions of fields.
func definitions() ([]byte, error) {
	specs := map[string][]any{}
	for _, source := range sources {
		files, err := gomodule.Files(source.module, source.files)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			found, err := specsOf(file)
			if err != nil {
				return nil, err
			}
			specs[source.list] = append(specs[source.list], found...)
		}
	}
	return json.Marshal(specs)
}

func specsOf(file string) (specs []any, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, document := range strings.Split(string(content), "\n---\n") {
		var d struct {
			Kind string
			Spec any
		}
		if err := yaml.Unmarshal([]byte(document), &d); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if d.Kind == "CustomResourceDefinition" {
			specs = append(specs, withoutDescriptions(d.Spec))
		}
	}
	return specs, nil
}

// withoutDescriptions removes descriptions. A field that has this name is an object, not a string, and stays.
func withoutDescriptions(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		for name, value := range tree {
			if _, isString := value.(string); isString && name == "description" {
				delete(tree, name)
			} else {
				tree[name] = withoutDescriptions(value)
			}
		}
	case []any:
		for i := range tree {
			tree[i] = withoutDescriptions(tree[i])
		}
	}
	return tree
}
