package kongconf_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
)

// TestGeneratedFiles holds all generated files to their sources.
func TestGeneratedFiles(t *testing.T) {
	files, err := generated.Files()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range files {
		if diff := cmp.Diff(want, readFile(t, file)); diff != "" {
			t.Errorf("%s differs from what is generated from its sources; run make generate:\n%s", file, diff)
		}
	}
}

// render renders the chart as the release kong in the namespace kong.
func render(t *testing.T, values string) helm.Rendered {
	t.Helper()
	rendered, err := helm.Render("chart", helm.Release{Name: "kong", Namespace: "kong", Values: values})
	if err != nil {
		t.Fatalf("%v with the values\n%s", err, values)
	}
	return rendered
}

// TestKustomizeMakesTheSame is for those who install with kubectl apply -k.
func TestKustomizeMakesTheSame(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not on PATH: kustomize is not tested")
	}
	for dir, files := range map[string][]string{
		".":                         {"install.yaml"},
		"manifests/namespaced":      {"manifests/namespaced/install.yaml"},
		"manifests/gatewayservices": {"manifests/gatewayservices/clusterrole.yaml", "manifests/gatewayservices/policy.yaml", "manifests/gatewayservices/ports.yaml"},
	} {
		built, err := exec.Command(kubectl, "kustomize", dir).Output()
		if err != nil {
			t.Fatalf("kubectl kustomize %s: %v", dir, err)
		}
		var want string
		for _, file := range files {
			want += "---\n" + readFile(t, file)
		}
		if diff := cmp.Diff(objects(t, want), objects(t, string(built))); diff != "" {
			t.Errorf("kustomize changes %s:\n%s", dir, diff)
		}
	}
}

// objects returns the documents of a manifest by kind, namespace and name.
func objects(t *testing.T, manifest string) map[string]map[string]any {
	t.Helper()
	byID := map[string]map[string]any{}
	for _, document := range split(manifest) {
		var object map[string]any
		if err := yaml.UnmarshalStrict(document, &object); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		metadata, _ := object["metadata"].(map[string]any)
		id := fmt.Sprintf("%v %v/%v", object["kind"], metadata["namespace"], metadata["name"])
		id = strings.ReplaceAll(id, "<nil>/", "")
		if byID[id] != nil {
			t.Errorf("%s occurs twice", id)
		}
		byID[id] = object
	}
	return byID
}

// split returns the documents of a manifest that are more than comments.
func split(manifest string) [][]byte {
	documents := bytes.Split([]byte("\n"+manifest), []byte("\n---\n"))
	return slices.DeleteFunc(documents, func(document []byte) bool {
		for line := range bytes.Lines(document) {
			if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
				return false
			}
		}
		return true
	})
}

// decode decodes an object into its type. An unknown field is an error.
func decode[T any](t *testing.T, from map[string]map[string]any, id string) T {
	t.Helper()
	var into T
	if from[id] == nil {
		t.Fatalf("there is no %s", id)
	}
	document, err := yaml.Marshal(from[id])
	if err == nil {
		err = yaml.UnmarshalStrict(document, &into)
	}
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return into
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
