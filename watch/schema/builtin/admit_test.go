package builtin

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	clients "k8s.io/client-go/kubernetes/scheme"

	"github.com/kube-sync/kube-sync/watch/kinds"
)

// Every kind of Kubernetes that is read is validated. An empty object of any of them is invalid,
// because it has no name.
func TestEveryKindIsValidated(t *testing.T) {
	for _, kind := range kinds.Core() {
		if refused := Admit(kind.GroupVersionKind(), []byte("{}")); len(refused) == 0 {
			t.Errorf("%s: an object without a name is not refused", kind.Name)
		}
	}
}

// The packages that this one imports add defaults to the types of k8s.io/api. They must not reach
// the scheme with which clients decode.
func TestClientsSetNoDefaults(t *testing.T) {
	service := &corev1.Service{}
	clients.Scheme.Default(service)
	if !reflect.DeepEqual(service, &corev1.Service{}) {
		t.Errorf("a client sets the defaults %+v", service.Spec)
	}
}
