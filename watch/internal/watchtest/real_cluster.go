package watchtest

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// RealCluster is a namespace in a real API server.
type RealCluster struct {
	T         *testing.T
	Ctx       context.Context
	Config    *rest.Config
	Core      kubernetes.Interface
	Dynamic   dynamic.Interface
	Namespace string
}

// OnRealCluster makes a namespace that exists until the test ends. The package's TestMain has
// to call [lab.Main].
func OnRealCluster(t *testing.T) *RealCluster {
	t.Helper()
	config := lab.Shared(t).Config
	var err error
	r := &RealCluster{T: t, Ctx: context.Background(), Config: config}
	r.Core, err = kubernetes.NewForConfig(config)
	Must(t, err)
	r.Dynamic, err = dynamic.NewForConfig(config)
	Must(t, err)
	namespace, err := r.Core.CoreV1().Namespaces().Create(r.Ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "watch-"}}, metav1.CreateOptions{})
	Must(t, err)
	r.Namespace = namespace.Name
	t.Cleanup(func() { _ = r.Core.CoreV1().Namespaces().Delete(r.Ctx, r.Namespace, metav1.DeleteOptions{}) })
	return r
}

// Key is the key of an object of the namespace.
func (r *RealCluster) Key(kind unit.Kind, name string) unit.Key {
	return kind.Key(r.Namespace, name)
}

// Ingress creates an Ingress.
func (r *RealCluster) Ingress(name, host string) *networkingv1.Ingress {
	prefix := networkingv1.PathTypePrefix
	class := "kong"
	created, err := r.Core.NetworkingV1().Ingresses(r.Namespace).Create(r.Ctx, &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: networkingv1.IngressSpec{IngressClassName: &class, Rules: []networkingv1.IngressRule{{Host: host,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}},
	}, metav1.CreateOptions{FieldManager: "kubectl"})
	Must(r.T, err)
	return created
}
