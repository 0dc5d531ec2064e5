package generated

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/helm"
)

// manifests are generated from the chart.
var manifests = []struct {
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
	{file: "manifests/gatewayservices/clusterrole.yaml", values: ServicesValues,
		kinds: []string{"ClusterRole kube-sync-gateway-services", "ClusterRoleBinding kube-sync-gateway-services"},
		header: `# Optional, in addition to install.yaml: for Gateways that have a Service of their own.
#
#   kubectl apply -k kong-conf/manifests/gatewayservices
#
`},
	{file: "manifests/gatewayservices/policy.yaml", values: ServicesValues, kinds: policyKinds, header: ""},
	{file: "manifests/gatewayservices/ports.yaml", values: ServicesValues, header: "",
		kinds: []string{"Role kube-sync-gateway-ports", "RoleBinding kube-sync-gateway-ports"}},
}

const (
	// The names are for one gateway in a cluster; the default names differ for each release.
	installValues = "namespace: {create: true}\nserviceAccount: {name: kube-sync}\nrbac: {name: kube-sync}\n"

	// ServicesValues are the chart's values for manifests/gatewayservices.
	ServicesValues = installValues + "gatewayServices: {enabled: true}\n"
)

var policyKinds = []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}

// manifestFiles renders the chart for each of the manifests.
func (f files) manifestFiles() error {
	for _, m := range manifests {
		rendered, err := helm.Render("chart", helm.Release{Name: "kong", Namespace: "kong", Values: m.values})
		if err != nil {
			return fmt.Errorf("%w with the values\n%s", err, m.values)
		}
		var documents []string
		for _, document := range rendered.Documents {
			if is, err := isOf(document, m.kinds); err != nil {
				return err
			} else if is {
				documents = append(documents, withoutHelm(document))
			}
		}
		if len(documents) == 0 {
			return fmt.Errorf("%s: the chart has no %v", m.file, m.kinds)
		}
		f[m.file] = m.header + "# Generated from the chart by \"make generate\"; do not edit.\n---\n" + strings.Join(documents, "---\n")
	}
	return nil
}

// isOf reports whether a document's "Kind", or "Kind name", is among those given, or no kinds are given.
func isOf(document string, kinds []string) (bool, error) {
	var object struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		return false, fmt.Errorf("%w in\n%s", err, document)
	}
	return kinds == nil || slices.Contains(kinds, object.Kind) || slices.Contains(kinds, object.Kind+" "+object.Metadata.Name), nil
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
