package kongconf_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
)

// TestRolesAgree compares the roles for all namespaces, those for some, and those in helm-values.yaml.
func TestRolesAgree(t *testing.T) {
	cluster := objects(t, readFile(t, "install.yaml"))
	all := decode[rbacv1.ClusterRole](t, cluster, "ClusterRole kube-sync").Rules
	scoped := decode[rbacv1.ClusterRole](t, cluster, "ClusterRole kube-sync-cluster-scoped").Rules
	lease := decode[rbacv1.Role](t, cluster, "Role kong/kube-sync-lease").Rules

	some := objects(t, readFile(t, "manifests/namespaced/install.yaml"))
	if diff := cmp.Diff(all, decode[rbacv1.Role](t, some, "Role default/kube-sync").Rules); diff != "" {
		t.Errorf("the roles for one namespace and for all differ:\n%s", diff)
	}
	named := decode[rbacv1.ClusterRole](t, some, "ClusterRole kube-sync-cluster-scoped").Rules
	for i := range named {
		if names := named[i].ResourceNames; (named[i].Resources[0] == "namespaces") != slices.Equal(names, []string{"default"}) {
			t.Errorf("the cluster-scoped role limits %v to %v", named[i].Resources, names)
		}
		named[i].ResourceNames = nil
	}
	if diff := cmp.Diff(scoped, named); diff != "" {
		t.Errorf("the cluster-scoped roles differ in more than names:\n%s", diff)
	}
	if some["ClusterRole kube-sync"] != nil {
		t.Error("a gateway for some namespaces has a role for all")
	}

	services := decode[rbacv1.ClusterRole](t, objects(t, readFile(t, "manifests/gatewayservices/clusterrole.yaml")), "ClusterRole kube-sync-gateway-services").Rules
	ofOne := decode[rbacv1.Role](t, objects(t, render(t, generated.ServicesValues+"settings: {watchNamespace: [shop]}\n").Manifests()), "Role shop/kube-sync-gateway-services").Rules
	if diff := cmp.Diff(services, ofOne); diff != "" {
		t.Errorf("the roles for the Services of Gateways in one namespace and in all differ:\n%s", diff)
	}

	policy := objects(t, readFile(t, "manifests/gatewayservices/policy.yaml"))
	account := "system:serviceaccount:kong:" + decode[corev1.ServiceAccount](t, objects(t, readFile(t, "install.yaml")), "ServiceAccount kong/kube-sync").Name
	by := decode[admissionv1.ValidatingAdmissionPolicy](t, policy, "ValidatingAdmissionPolicy kube-sync-gateway-services").Spec.MatchConditions
	if len(by) != 1 || !strings.Contains(by[0].Expression, "'"+account+"'") {
		t.Errorf("the policy for the Services of Gateways is not for %s: %v", account, by)
	}

	chart := chartObjects(t)
	for id, want := range map[string][]rbacv1.PolicyRule{"ClusterRole kube-sync": all, "ClusterRole kube-sync-cluster-scoped": scoped} {
		if diff := cmp.Diff(want, decode[rbacv1.ClusterRole](t, chart, id).Rules); diff != "" {
			t.Errorf("helm-values.yaml: %s differs from install.yaml:\n%s", id, diff)
		}
	}
	if diff := cmp.Diff(lease, decode[rbacv1.Role](t, chart, "Role NAMESPACE/kube-sync-lease").Rules); diff != "" {
		t.Errorf("helm-values.yaml: the Role for the Lease differs from install.yaml:\n%s", diff)
	}
}

// TestRolesOnlyRead checks that kube-sync may write only Events, Leases and statuses.
func TestRolesOnlyRead(t *testing.T) {
	writable := map[string]bool{"events": true, "leases": true}
	for id, object := range objects(t, readFile(t, "install.yaml")) {
		if object["kind"] != "ClusterRole" && object["kind"] != "Role" {
			continue
		}
		document, _ := yaml.Marshal(object["rules"])
		var rules []rbacv1.PolicyRule
		if err := yaml.UnmarshalStrict(document, &rules); err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules {
			for _, verb := range rule.Verbs {
				if verb == "get" || verb == "list" || verb == "watch" {
					continue
				}
				for _, resource := range rule.Resources {
					if verb == "*" || verb == "delete" || !writable[resource] && !strings.HasSuffix(resource, "/status") {
						t.Errorf("%s may %s %s", id, verb, resource)
					}
				}
			}
		}
	}
}
