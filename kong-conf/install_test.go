package kongconf_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/helm"
)

var update = flag.Bool("update", false, "write the generated files")

// generatedManifests are the manifests that "make manifests" generates from the chart.
var generatedManifests = []struct {
	file, header string
	// values are the values of the release, and kinds the objects in the file; nil means all.
	values string
	kinds  []string
}{
	{file: "install.yaml", values: installValues, header: `# kube-sync for all namespaces of a cluster:
#
#   kubectl apply -f install.yaml
#
# With Gateway API, apply gatewayclass.yaml too. "kube-sync definitions" prints the definitions of
# Gateway API and of Kong's kinds.
`},
	{file: "gatewayclass.yaml", values: installValues + "gatewayClass: {create: true}\n", kinds: []string{"GatewayClass"},
		header: `# For clusters with Gateway API, in addition to install.yaml:
#
#   kubectl apply -f gatewayclass.yaml
#
`},
	{file: "admission.yaml", values: "admission: {enabled: true}\nnameOverride: kube-sync\n", kinds: policyKinds,
		header: `# Optional: the API server (Kubernetes 1.30 or newer) refuses objects with settings that would
# have no effect, before it stores them. Without these policies the gateway says the same in
# Events and conditions.
#
#   kubectl apply -f admission.yaml
#
# Existing objects can still be changed: a rule applies only to updates that change the
# fields it checks. A rule that cannot be evaluated admits the object (failurePolicy: Ignore).
# For warnings instead of refusals, put validationActions: [Warn, Audit] into the bindings.
#
# The definitions of Kong's kinds have rules of their own, which are not repeated here: a
# KongConsumer needs username or custom_id, and a KongPlugin must not have both config and
# configFrom. Only Kong can check the configuration of a plugin; the status of the
# KongPlugin has its errors.
#
`},
	{file: "manifests/namespaced/install.yaml", values: installValues + "settings: {watchNamespace: [default]}\n",
		header: `# kube-sync for some namespaces of a cluster, here only for "default". It cannot read objects of
# other namespaces. For others:
#
#   helm template kong kong-conf/chart --namespace kong --set 'settings.watchNamespace={shop,blog}'
#
`},
	{file: "manifests/gatewayservices/clusterrole.yaml", values: servicesValues,
		kinds: []string{"ClusterRole kube-sync-gateway-services", "ClusterRoleBinding kube-sync-gateway-services"},
		header: `# Optional, in addition to install.yaml: for Gateways that have a Service of their own.
#
#   kubectl apply -k kong-conf/manifests/gatewayservices
#
`},
	{file: "manifests/gatewayservices/policy.yaml", values: servicesValues, kinds: policyKinds, header: ""},
	{file: "manifests/gatewayservices/ports.yaml", values: servicesValues, header: "",
		kinds: []string{"Role kube-sync-gateway-ports", "RoleBinding kube-sync-gateway-ports"}},
}

const (
	// The names are for one gateway in a cluster; the default names differ for each release.
	installValues  = "namespace: {create: true}\nserviceAccount: {name: kube-sync}\nrbac: {name: kube-sync}\n"
	servicesValues = installValues + "gatewayServices: {enabled: true}\n"
)

var policyKinds = []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}

// TestManifestsAreMadeFromTheChart compares all manifests with the chart, their only source.
func TestManifestsAreMadeFromTheChart(t *testing.T) {
	for _, m := range generatedManifests {
		var documents []string
		for _, document := range render(t, m.values).Documents {
			if isOf(t, document, m.kinds) {
				documents = append(documents, withoutHelm(document))
			}
		}
		if len(documents) == 0 {
			t.Errorf("%s: the chart has no %v", m.file, m.kinds)
		}
		generated(t, m.file, m.header+"# Generated from the chart by \"make manifests\"; do not edit.\n---\n"+strings.Join(documents, "---\n"))
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

// isOf reports whether the list has a document's "Kind" or "Kind name". A nil list has all.
func isOf(t *testing.T, document string, kinds []string) bool {
	t.Helper()
	var object struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return kinds == nil || slices.Contains(kinds, object.Kind) || slices.Contains(kinds, object.Kind+" "+object.Metadata.Name)
}

// withoutHelm removes the labels that Helm sets.
func withoutHelm(document string) string {
	var kept strings.Builder
	for line := range strings.Lines(document) {
		if field := strings.TrimSpace(line); field != "app.kubernetes.io/managed-by: Helm" && !strings.HasPrefix(field, "helm.sh/chart: ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestKustomizeMakesTheSame compares what kubectl apply -k installs with the manifests.
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
