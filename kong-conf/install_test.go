package kongconf_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write install.yaml anew from the manifests")

const installHeader = `# All of kube-sync for all namespaces of a cluster:
#
#   kubectl apply -f install.yaml
#
# Made of the files in manifests/ by "make manifests": change those.
`

// TestInstallIsMadeOfItsSources holds install.yaml against the files that
// manifests/cluster lists. The comments stay, which kustomize would drop.
func TestInstallIsMadeOfItsSources(t *testing.T) {
	var documents []string
	for _, file := range kustomized(t, "manifests/cluster") {
		documents = append(documents, strings.TrimSpace(readFile(t, file)))
	}
	want := installHeader + "---\n" + strings.Join(documents, "\n---\n") + "\n"
	if *update {
		if err := os.WriteFile("install.yaml", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, readFile(t, "install.yaml")); diff != "" {
		t.Errorf("install.yaml is not what its sources make; run make manifests:\n%s", diff)
	}
}

// TestKustomizeMakesTheSame is for those who install with kubectl apply -k.
func TestKustomizeMakesTheSame(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("there is no kubectl on PATH: what kustomize makes is not tested")
	}
	built, err := exec.Command(kubectl, "kustomize", "manifests/cluster").Output()
	if err != nil {
		t.Fatalf("kubectl kustomize: %v", err)
	}
	want, got := objects(t, readFile(t, "install.yaml")), objects(t, string(built))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("install.yaml and manifests/cluster differ:\n%s", diff)
	}
	built, err = exec.Command(kubectl, "kustomize", "manifests/namespaced").Output()
	if err != nil {
		t.Fatalf("kubectl kustomize: %v", err)
	}
	for _, id := range []string{"Role default/kube-sync", "RoleBinding default/kube-sync", "Deployment kong/kong"} {
		if objects(t, string(built))[id] == nil {
			t.Errorf("manifests/namespaced has no %s", id)
		}
	}
}

// kustomized lists the files of a kustomization, in its order.
func kustomized(t *testing.T, dir string) []string {
	t.Helper()
	var kustomization struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal([]byte(readFile(t, filepath.Join(dir, "kustomization.yaml"))), &kustomization); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, resource := range kustomization.Resources {
		path := filepath.Join(dir, resource)
		if filepath.Ext(path) == ".yaml" {
			files = append(files, path)
		} else {
			files = append(files, kustomized(t, path)...)
		}
	}
	return files
}

// objects are the documents of a manifest by kind, namespace and name.
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
			t.Errorf("%s is there twice", id)
		}
		byID[id] = object
	}
	return byID
}

// split gives the documents of a manifest that have more than comments.
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

// decode reads an object strictly into its type: an unknown field is an error.
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
