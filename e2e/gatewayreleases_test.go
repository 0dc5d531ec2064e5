package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// olderGatewayAPI is the release of Gateway API that the Kong Ingress Controller 3.5 uses.
const olderGatewayAPI = "v1.3.0"

// TestGatewayAPIReleases tests an older release of Gateway API, and its replacement by the newest one while the
// gateway runs.
func TestGatewayAPIReleases(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs other definitions")
	}
	cp := lab.StartControlPlane(t)
	cp.AnyVersion = true
	cp.Kubelet(t)
	for _, pattern := range []string{lab.GatewayAPIDefinitions, lab.XListenerSetDefinition} {
		cp.MustApplyModuleVersion(t, lab.GatewayAPI, olderGatewayAPI, pattern)
	}
	cp.MustApply(t, "", kongClass)
	gw := streamGateway(t, cp)
	wantVersions(t, gw, map[string]string{"HTTPRoute": "v1", "ReferenceGrant": "v1beta1", "TCPRoute": "v1alpha2", "UDPRoute": "v1alpha2",
		"TLSRoute": "v1alpha2", "BackendTLSPolicy": "v1alpha3", "ListenerSet": "", "XListenerSet": "v1alpha1"})
	wantClass(t, cp)
	t.Run("Older", func(t *testing.T) { testReleases(t, cp, gw) })
	t.Run("XListenerSet", func(t *testing.T) { testXListenerSet(t, cp, gw) })
	t.Run("IgnoredField", func(t *testing.T) { testIgnoredField(t, cp, gw) })

	// Existing routes are served while the definitions are replaced.
	ns, other := cp.Namespace(t), cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, other, deployment("web", 1)+grantTo(ns))
	cp.MustApply(t, ns, plainGateway+httpRoute("web", fmt.Sprintf("  hostnames: [%s]\n  rules: [{backendRefs: [{name: web, namespace: %s, port: 80}]}]", host, other)))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	traffic := startLoad(t, gw.HTTP, host)
	cp.MustApplyModule(t, lab.GatewayAPI, lab.GatewayAPIDefinitions)
	wantVersions(t, gw, map[string]string{"HTTPRoute": "v1", "ReferenceGrant": "v1", "TCPRoute": "v1", "UDPRoute": "v1",
		"TLSRoute": "v1", "BackendTLSPolicy": "v1", "ListenerSet": "v1", "XListenerSet": "v1alpha1"})
	traffic.Answered(t, 100)
	traffic.Stop(t)
	wantClass(t, cp)
	t.Run("Newest", func(t *testing.T) { testReleases(t, cp, gw) })
}

// testReleases tests the kinds that have different versions in different releases.
func testReleases(t *testing.T, cp *lab.ControlPlane, gw streams) {
	t.Run("Grants", func(t *testing.T) { testGrants(t, cp, gw.Pod) })
	t.Run("Streams", func(t *testing.T) { testStreams(t, cp, gw) })
	t.Run("BackendTLSPolicy", func(t *testing.T) { testPolicyStatus(t, cp, gw) })
	t.Run("ListenerWithoutKinds", func(t *testing.T) { testListenerWithoutKinds(t, cp) })
}

// wantVersions waits until the metrics have the versions of kinds. "" is the version of a kind that is not read.
func wantVersions(t *testing.T, gw streams, want map[string]string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		answer, err := http.Get("http://" + gw.Metrics + "/metrics")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		metrics := string(text)
		for kind, version := range want {
			state := "read"
			if version == "" {
				state = "undefined"
			}
			line := fmt.Sprintf("kind=%q,state=%q,version=%q} 1", kind, state, version)
			if !strings.Contains(metrics, line) {
				return fmt.Errorf("the metrics have no %s", line)
			}
		}
		return nil
	})
}

// wantClass waits until the class reports that the installed release is supported.
func wantClass(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		class, err := typed[gatewayv1.GatewayClass](t, cp, "gatewayclasses", "", "kong")
		if err != nil {
			return err
		}
		for _, condition := range []string{"Accepted", "SupportedVersion"} {
			if !meta.IsStatusConditionTrue(class.Status.Conditions, condition) {
				return fmt.Errorf("the class has the conditions %v", class.Status.Conditions)
			}
		}
		return nil
	})
}

// The status of a policy is written in the version that is served.
func testPolicyStatus(t *testing.T, cp *lab.ControlPlane, gw streams) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	made := cp.MustApply(t, ns, plainGateway+deployment("web", 1)+httpRoute("web", "  hostnames: ["+host+"]\n  rules: [{backendRefs: [{name: web, port: 80}]}]")+`
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: web}
spec:
  targetRefs: [{group: "", kind: Service, name: web}]
  validation: {hostname: web.example, wellKnownCACertificates: System}
`)
	version := made[len(made)-1].GroupVersionKind().GroupVersion()
	eventually.Nil(t, time.Minute, func() error {
		object, err := cp.Dynamic.Resource(version.WithResource("backendtlspolicies")).Namespace(ns).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		policy := &gatewayv1.BackendTLSPolicy{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, policy); err != nil {
			return err
		}
		if len(policy.Status.Ancestors) != 1 || !meta.IsStatusConditionTrue(policy.Status.Ancestors[0].Conditions, "Accepted") {
			return fmt.Errorf("the policy has the ancestors %+v", policy.Status.Ancestors)
		}
		return nil
	})
	wantStatus(t, gw.HTTP, host, "/", http.StatusBadGateway) // the backend speaks no TLS
}

// A listener that takes no routes has a status in every release: older ones require its
// kinds to be there.
func testListenerWithoutKinds(t *testing.T, cp *lab.ControlPlane) {
	ns := cp.Namespace(t)
	cp.MustApply(t, ns, `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: odd}
spec:
  gatewayClassName: kong
  listeners: [{name: odd, port: 80, protocol: example.org/odd}]
`)
	eventually.Nil(t, time.Minute, func() error {
		g, err := typed[gatewayv1.Gateway](t, cp, "gateways", ns, "odd")
		if err != nil {
			return err
		}
		if len(g.Status.Listeners) != 1 {
			return fmt.Errorf("the Gateway has the status %+v", g.Status)
		}
		return nil
	})
}

// A route with a field that later releases do not have works, and has an Event about the field.
func testIgnoredField(t *testing.T, cp *lab.ControlPlane, gw streams) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+httpRoute("web", "  hostnames: ["+host+"]\n"+
		"  rules: [{sessionPersistence: {sessionName: s, idleTimeout: 10m}, backendRefs: [{name: web, port: 80}]}]"))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantEvent(t, cp, ns, "web", "FieldIgnored")
}

// A team adds a listener to a Gateway by the experimental kind, and a route names that.
func testXListenerSet(t *testing.T, cp *lab.ControlPlane, gw streams) {
	ns, team := cp.Namespace(t), cp.Namespace(t)
	host := team + ".example"
	cp.MustApply(t, ns, `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shared}
spec:
  gatewayClassName: kong
  allowedListeners: {namespaces: {from: All}}
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: own.example}]
`)
	cp.MustApply(t, team, deployment("web", 1)+fmt.Sprintf(`
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XListenerSet
metadata: {name: set}
spec:
  parentRef: {name: shared, namespace: %s}
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: %s}]
---
`, ns, host)+routeTo("web", "{group: gateway.networking.x-k8s.io, kind: XListenerSet, name: set}", host, "web"))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantRoute(t, cp, team, "web", "Accepted", "Accepted")
	sets := schema.GroupVersionResource{Group: "gateway.networking.x-k8s.io", Version: "v1alpha1", Resource: "xlistenersets"}
	eventually.Nil(t, time.Minute, func() error {
		set, err := cp.Dynamic.Resource(sets).Namespace(team).Get(t.Context(), "set", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if status := fmt.Sprint(set.Object["status"]); !strings.Contains(status, "attachedRoutes:1") || !strings.Contains(status, "port:80") {
			return fmt.Errorf("the set has the status %s", status)
		}
		return nil
	})
}
