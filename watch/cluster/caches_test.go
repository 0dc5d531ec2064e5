package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The objects that a Gateway owns are found among all others.
func TestOwnedBy(t *testing.T) {
	service := func(namespace, name, managedBy, gateway string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{
			"app.kubernetes.io/managed-by": managedBy, "gateway.networking.k8s.io/gateway-name": gateway}}}
	}
	long := strings.Repeat("long", 30)
	labeled := owned.Key("", long)[1:]
	f := newFakes(service("shop", "web-kong", "kube-sync", "web"), service("shop", "other-kong", "kube-sync", "other"),
		service("shop", "foreign", "another", "web"), service("elsewhere", "web-kong", "kube-sync", "web"),
		service("shop", "long-kong", "kube-sync", labeled))
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)
	for gateway, want := range map[string][]string{"web": {"web-kong"}, long: {"long-kong"}, "none": nil} {
		var names []string
		for _, object := range c.OwnedBy(unit.Key{Kind: unit.Gateway, Namespace: "shop", Name: gateway}, unit.Service) {
			names = append(names, object.GetNamespace()+"/"+object.GetName())
		}
		if len(names) != len(want) || len(want) == 1 && names[0] != "shop/"+want[0] {
			t.Errorf("for Gateway %.10s: %v, want %v", gateway, names, want)
		}
	}
}
