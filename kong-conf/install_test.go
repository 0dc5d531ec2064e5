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

var update = flag.Bool("update", false, "write the files that are made from others")

// made are the manifests that "make manifests" makes from the chart.
var made = []struct {
	file, header string
	// values are the release's, and kinds those of its objects that the file has; nil for all.
	values string
	kinds  []string
}{
	{file: "install.yaml", values: installValues, header: `# All of kube-sync for all namespaces of a cluster:
#
#   kubectl apply -f install.yaml
#
# With Gateway API, apply gatewayclass.yaml too. "kube-sync definitions" prints the definitions of
# Gateway API and of Kong's kinds.
`},
	{file: "gatewayclass.yaml", values: installValues + "gatewayClass: {create: true}\n", kinds: []string{"GatewayClass"},
		header: `# For clusters that have Gateway API, beside install.yaml:
#
#   kubectl apply -f gatewayclass.yaml
#
`},
	{file: "admission.yaml", values: "admission: {enabled: true}\nnameOverride: kube-sync\n", kinds: policyKinds,
		header: `# Optional: the API server itself refuses what could only be without effect, before it is
# stored. The rules say nothing that the gateway would not say in an Event or a condition;
# nothing runs for them but the API server (Kubernetes 1.30 or newer).
#
#   kubectl apply -f admission.yaml
#
# An object that is there already stays changeable: a rule is applied to updates that
# change what it is about, and to no others. A rule that cannot be evaluated admits
# (failurePolicy: Ignore). To be warned instead of refused, put
# validationActions: [Warn, Audit] into the bindings.
#
# What the definitions of Kong's kinds refuse themselves is not repeated here: a
# KongConsumer without username and custom_id, a KongPlugin with config and configFrom.
# The fields of a plugin's configuration only Kong knows; its words are in the status of
# the KongPlugin.
#
`},
	{file: "manifests/namespaced/install.yaml", values: installValues + "settings: {watchNamespace: [default]}\n",
		header: `# kube-sync for some namespaces of a cluster, here for "default" alone. It can read nothing of any
# other namespace. For others:
#
#   helm template kong kong-conf/chart --namespace kong --set 'settings.watchNamespace={shop,blog}'
#
`},
	{file: "manifests/gatewayservices/clusterrole.yaml", values: servicesValues,
		kinds: []string{"ClusterRole kube-sync-gateway-services", "ClusterRoleBinding kube-sync-gateway-services"},
		header: `# Optional, beside install.yaml: for Gateways that have a Service of their own.
#
#   kubectl apply -k kong-conf/manifests/gatewayservices
#
`},
	{file: "manifests/gatewayservices/policy.yaml", values: servicesValues, kinds: policyKinds, header: ""},
	{file: "manifests/gatewayservices/ports.yaml", values: servicesValues, header: "",
		kinds: []string{"Role kube-sync-gateway-ports", "RoleBinding kube-sync-gateway-ports"}},
}

const (
	// The names are for one gateway in a cluster; a release of the chart has some of its own.
	installValues  = "namespace: {create: true}\nserviceAccount: {name: kube-sync}\nrbac: {name: kube-sync}\n"
	servicesValues = installValues + "gatewayServices: {enabled: true}\n"
)

var policyKinds = []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}

// TestManifestsAreMadeFromTheChart holds all manifests to the chart, so that there is one truth.
func TestManifestsAreMadeFromTheChart(t *testing.T) {
	for _, m := range made {
		var documents []string
		for _, document := range render(t, m.values).Documents {
			if isOf(t, document, m.kinds) {
				documents = append(documents, withoutHelm(document))
			}
		}
		if len(documents) == 0 {
			t.Errorf("%s: the chart has no %v", m.file, m.kinds)
		}
		generated(t, m.file, m.header+"# Made from the chart by \"make manifests\": change that.\n---\n"+strings.Join(documents, "---\n"))
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

// isOf reports whether a document's "Kind", or "Kind name", is among those given, or none is.
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

// withoutHelm leaves out the labels by which Helm knows what it installed.
func withoutHelm(document string) string {
	var kept strings.Builder
	for line := range strings.Lines(document) {
		if field := strings.TrimSpace(line); field != "app.kubernetes.io/managed-by: Helm" && !strings.HasPrefix(field, "helm.sh/chart: ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestKustomizeMakesTheSame is for those who install with kubectl apply -k.
func TestKustomizeMakesTheSame(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("there is no kubectl on PATH: what kustomize makes is not tested")
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
			t.Errorf("kustomize makes another thing of %s:\n%s", dir, diff)
		}
	}
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
