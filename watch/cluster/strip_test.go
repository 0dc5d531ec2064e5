package cluster

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// crowded returns metadata that also has fields that nothing reads.
func crowded(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: "shop", Name: name, UID: "u1", ResourceVersion: "1",
		CreationTimestamp: metav1.Unix(1700000000, 0),
		Labels:            map[string]string{discoveryv1.LabelServiceName: "web", "team": "a"},
		Annotations:       map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "konghq.com/protocol": "grpc"},
		ManagedFields:     []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		OwnerReferences:   []metav1.OwnerReference{{Name: "x"}},
		Finalizers:        []string{"x"},
	}
}

// Cached and delivered objects lack the fields that the translation does not read.
func TestMemoryIsStripped(t *testing.T) {
	ready, node, zone := true, "node-1", "zone-1"
	ports := []corev1.ServicePort{{Name: "http", Port: 80}}
	f := newFakes(
		&corev1.Service{
			ObjectMeta: crowded("web"),
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeClusterIP, Ports: ports, ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1"},
				Selector: map[string]string{"app": "web"}, ExternalIPs: []string{"192.0.2.1"},
			},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{
				{Hostname: "lb.example"}, {IP: "192.0.2.2", Ports: []corev1.PortStatus{{Port: 80}}},
			}}},
		},
		&discoveryv1.EndpointSlice{
			ObjectMeta: crowded("web-1"), AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints: []discoveryv1.Endpoint{{
				Addresses: []string{"10.1.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
				TargetRef: &corev1.ObjectReference{Name: "web-abc"}, NodeName: &node, Zone: &zone, Hostname: &node,
				Hints: &discoveryv1.EndpointHints{}, DeprecatedTopology: map[string]string{"a": "b"},
			}},
		},
	)
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)

	kept := metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "u1", ResourceVersion: "1", CreationTimestamp: metav1.Unix(1700000000, 0)}
	sliceMeta := kept
	sliceMeta.Name, sliceMeta.Labels = "web-1", map[string]string{discoveryv1.LabelServiceName: "web"}
	kept.Labels = map[string]string{discoveryv1.LabelServiceName: "web", "team": "a"}
	kept.Annotations = map[string]string{"konghq.com/protocol": "grpc"}
	for _, want := range []unit.Object{
		&corev1.Service{ObjectMeta: kept, Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, Ports: ports, ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1"}, ExternalIPs: []string{"192.0.2.1"},
		}, Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.2"}}}}},
		&discoveryv1.EndpointSlice{ObjectMeta: sliceMeta, AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.1.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		},
	} {
		kind := unit.Service
		if _, ok := want.(*discoveryv1.EndpointSlice); ok {
			kind = unit.EndpointSlice
		}
		key := unit.Key{Kind: kind, Namespace: "shop", Name: want.GetName()}
		if diff := cmp.Diff(want, c.Get(key)); diff != "" {
			t.Errorf("%v in the cache (-want +got):\n%s", key, diff)
		}
		if diff := cmp.Diff(want, got.Objects[key]); diff != "" {
			t.Errorf("%v as delivered (-want +got):\n%s", key, diff)
		}
	}
}

func TestSecretMetadataIsStripped(t *testing.T) {
	f := newFakes()
	partial := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: crowded("tls")}
	if err := f.Metadata.Tracker().Create(secrets, partial, "shop"); err != nil {
		t.Fatal(err)
	}
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)
	cached := c.Get(secretKey("tls")).(*metav1.PartialObjectMetadata)
	if cached.Annotations != nil || cached.ManagedFields != nil || cached.OwnerReferences != nil || cached.Labels["team"] != "a" {
		t.Errorf("cached %+v", cached)
	}
}

func TestFetchedSecretIsStripped(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	whole, err := f.Core.CoreV1().Secrets("shop").Get(context.Background(), "tls", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	whole.ObjectMeta = crowded("tls")
	if err := f.Core.Tracker().Update(secrets, whole, "shop"); err != nil {
		t.Fatal(err)
	}
	c, got := f.cluster(t, Options{})
	c.Want([]unit.Key{secretKey("tls")})
	got.Until("wanted", got.Has(secretKey("tls")))
	secret := got.Objects[secretKey("tls")]
	if hasManagedFields(secret) || secret.GetAnnotations()[corev1.LastAppliedConfigAnnotation] != "" {
		t.Errorf("delivered %+v", secret)
	}
}

// hasManagedFields reports whether more than the time of the last write is left of the managed fields.
func hasManagedFields(object unit.Object) bool {
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.FieldsV1 != nil || entry.Manager != ""
	})
}
