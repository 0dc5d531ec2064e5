package kinds

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/randfill"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// A comparison sees only what the translation reads, and leaves both objects as they are.
func TestSame(t *testing.T) {
	ingress := func(version, host, address string) *networkingv1.Ingress {
		i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: version}}
		i.Spec.Rules = []networkingv1.IngressRule{{Host: host}}
		i.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: address}}
		return i
	}
	kind := named(t, unit.Ingress)
	before := ingress("1", "a.example", "192.0.2.1")
	for name, test := range map[string]struct {
		after unit.Object
		want  bool
	}{
		"version and status": {ingress("2", "a.example", "192.0.2.2"), true},
		"spec":               {ingress("2", "b.example", "192.0.2.1"), false},
		"unreadable":         {&metav1.PartialObjectMetadata{ObjectMeta: before.ObjectMeta}, false},
	} {
		unchanged := test.after.DeepCopyObject()
		if got := kind.Same(before, test.after); got != test.want {
			t.Errorf("%s: same %v", name, got)
		}
		if !equal(before, ingress("1", "a.example", "192.0.2.1")) || !equal(test.after, unchanged) {
			t.Errorf("%s: the comparison changed an object", name)
		}
	}
}

// A comparison does not copy what large objects point to.
func TestSameCopiesNothingDeep(t *testing.T) {
	secret := func(version string) *corev1.Secret {
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}, Data: map[string][]byte{}}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			s.Data[name] = make([]byte, 1000)
		}
		return s
	}
	kind, a := named(t, unit.Secret), secret("1")
	copied := kind.read(a).(*corev1.Secret)
	copied.Data["a"][0] = 1
	if a.Data["a"][0] != 1 || copied.ResourceVersion != "" || a.ResourceVersion != "1" {
		t.Errorf("read made %+v of %+v", copied.ObjectMeta, a.ObjectMeta)
	}
}

// Unread clears fields of the object itself, because a shallow copy shares the rest.
func TestUnreadAssignsFieldsOnly(t *testing.T) {
	for _, kind := range All() {
		if kind.Unread == nil {
			continue
		}
		object := kind.New()
		fill(object)
		unchanged := object.DeepCopyObject()
		kind.read(object)
		if !equal(object, unchanged) {
			t.Errorf("%s: Unread changed what the object points to", kind.Name)
		}
	}
}

func equal(a, b any) bool { return equality.Semantic.DeepEqual(a, b) }

// fill sets every field of an object.
func fill(object unit.Object) {
	randfill.NewWithSeed(1).NilChance(0).NumElements(1, 2).MaxDepth(12).Funcs(
		func(*metav1.FieldsV1, randfill.Continue) {},
		func(*runtime.RawExtension, randfill.Continue) {},
	).Fill(object)
}
