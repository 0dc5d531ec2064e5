package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// TestMain runs the tests in a lab, which has an API server.
func TestMain(m *testing.M) { lab.Main(m) }

// realCluster is a namespace in a real API server.
type realCluster struct{ *watchtest.RealCluster }

func onRealCluster(t *testing.T) realCluster { return realCluster{watchtest.OnRealCluster(t)} }

func (r realCluster) secret(name string, kind corev1.SecretType, value string) {
	r.T.Helper()
	client := r.Core.CoreV1().Secrets(r.Namespace)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: map[string][]byte{"tls.crt": []byte(value)}}
	_, err := client.Create(r.Ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = client.Update(r.Ctx, secret, metav1.UpdateOptions{})
	}
	watchtest.Must(r.T, err)
}

func (r realCluster) run(options Options) (*Cluster, *watchtest.Consumer) {
	r.T.Helper()
	if options.RESTConfig == nil {
		options.RESTConfig = r.Config
	}
	if options.Log == nil {
		options.Log = watchtest.Quiet()
	}
	c, err := New(options)
	watchtest.Must(r.T, err)
	watchtest.Running(r.T, c.Run)
	return c, watchtest.Consume(r.T, c)
}

func TestRealClusterSource(t *testing.T) {
	r := onRealCluster(t)
	r.Ingress("web", "a.example")
	r.secret("tls", corev1.SecretTypeOpaque, "one")
	r.secret("release", "helm.sh/release.v1", "large")
	before := time.Now()
	c, got := r.run(Options{})
	tls := r.Key(unit.Secret, "tls")
	c.Want([]unit.Key{tls, r.Key(unit.Secret, "absent")})
	got.Until("complete", got.IsComplete)
	web := r.Key(unit.Ingress, "web")
	if got.Objects[web] == nil || hasManagedFields(got.Objects[web]) || got.Count[web] != 1 {
		t.Errorf("%d times %+v", got.Count[web], got.Objects[web])
	}
	if got.Value(tls) != "one" {
		t.Error("complete without the secret")
	}
	if c.Get(r.Key(unit.Secret, "release")) != nil {
		t.Error("a Helm release is cached")
	}
	if _, ok := c.Get(tls).(*metav1.PartialObjectMetadata); !ok {
		t.Errorf("the secret is cached as %T", c.Get(tls))
	}
	if c.LastContact().Before(before) {
		t.Errorf("last contact %v", c.LastContact())
	}

	r.secret("tls", corev1.SecretTypeOpaque, "two")
	got.Until("rotated", func() bool { return got.Value(tls) == "two" })
	r.secret("absent", corev1.SecretTypeOpaque, "three")
	c.Want([]unit.Key{tls, r.Key(unit.Secret, "absent")})
	got.Until("created", func() bool { return got.Value(r.Key(unit.Secret, "absent")) == "three" })
	c.Want(nil)
	got.Until("dropped", func() bool { return got.Objects[tls] == nil && got.Objects[r.Key(unit.Secret, "absent")] == nil })

	watchtest.Must(t, r.Core.NetworkingV1().Ingresses(r.Namespace).Delete(r.Ctx, "web", metav1.DeleteOptions{}))
	got.Until("deleted", got.HasNot(web))
}

// What the API server holds has been taken once everything has arrived: created, updated and deleted
// objects, and wanted Secrets.
func TestRealArrival(t *testing.T) {
	r := onRealCluster(t)
	r.Ingress("gone", "a.example")
	r.secret("tls", corev1.SecretTypeOpaque, "0")
	c, got := r.run(Options{})
	tls := r.Key(unit.Secret, "tls")
	c.Want([]unit.Key{tls})
	got.Until("complete", got.IsComplete)
	for round := range 20 {
		name, value := fmt.Sprint("web", round), fmt.Sprint(round+1)
		r.Ingress(name, "a.example")
		r.secret("tls", corev1.SecretTypeOpaque, value)
		if round == 10 {
			watchtest.Must(t, r.Core.NetworkingV1().Ingresses(r.Namespace).Delete(r.Ctx, "gone", metav1.DeleteOptions{}))
		}
		watchtest.Must(t, c.AwaitArrival(r.Ctx))
		got.Take()
		if got.Objects[r.Key(unit.Ingress, name)] == nil || got.Value(tls) != value {
			t.Fatalf("round %d: %s or the Secret %q is missing after everything has arrived", round, name, got.Value(tls))
		}
		if there := got.Objects[r.Key(unit.Ingress, "gone")] != nil; there != (round < 10) {
			t.Fatalf("round %d: the deleted Ingress is there: %v", round, there)
		}
	}
	ctx, cancel := context.WithCancel(r.Ctx)
	cancel()
	if err := c.AwaitArrival(ctx); err == nil {
		t.Error("a wait that is canceled succeeds")
	}
}

func (r realCluster) define() (remove func()) {
	definitions := r.Dynamic.Resource(customResourceDefinitions)
	_, err := definitions.Create(r.Ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "widgets.example.com"},
		"spec": map[string]any{
			"group": "example.com", "scope": "Namespaced",
			"names": map[string]any{"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{
				"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}},
		}}}, metav1.CreateOptions{})
	watchtest.Must(r.T, err)
	remove = func() { _ = definitions.Delete(r.Ctx, "widgets.example.com", metav1.DeleteOptions{}) }
	r.T.Cleanup(remove)
	return remove
}

func TestRealCustomKind(t *testing.T) {
	r := onRealCluster(t)
	_, got := r.run(Options{Kinds: append(kinds.Core(), widgetKind())})
	got.Until("complete", got.IsComplete)
	key := r.Key("Widget", "a")
	for round := range 2 {
		remove := r.define()
		w := widget("a", int64(3+round))
		unstructured.RemoveNestedField(w.Object, "metadata", "resourceVersion")
		unstructured.RemoveNestedField(w.Object, "metadata", "managedFields")
		w.SetNamespace(r.Namespace)
		watchtest.Eventually(t, "the API server accepts widgets", func() bool {
			_, err := r.Dynamic.Resource(widgets).Namespace(r.Namespace).Create(r.Ctx, w, metav1.CreateOptions{})
			return err == nil || apierrors.IsAlreadyExists(err)
		})
		got.Until("widget", got.Has(key))
		if size := got.Objects[key].(*Widget).Spec.Size; size != int64(3+round) {
			t.Errorf("size %d", size)
		}
		remove()
		got.Until("gone", got.HasNot(key))
		watchtest.Eventually(t, "the definition is gone", func() bool {
			_, err := r.Dynamic.Resource(customResourceDefinitions).Get(r.Ctx, "widgets.example.com", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	}
}

// restricted returns the credentials of a user who may read only in the namespace.
func (r realCluster) restricted() *rest.Config {
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"services", "secrets", "configmaps"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"get", "list", "watch"}},
	}
	meta := metav1.ObjectMeta{Name: "reader", Namespace: r.Namespace}
	_, err := r.Core.RbacV1().Roles(r.Namespace).Create(r.Ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	watchtest.Must(r.T, err)
	_, err = r.Core.RbacV1().RoleBindings(r.Namespace).Create(r.Ctx, &rbacv1.RoleBinding{ObjectMeta: meta,
		RoleRef:  rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "reader"},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: r.Namespace, APIGroup: "rbac.authorization.k8s.io"}},
	}, metav1.CreateOptions{})
	watchtest.Must(r.T, err)
	config := rest.CopyConfig(r.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: r.Namespace, Groups: []string{"system:authenticated"}}
	return config
}

func TestRealRestrictedPod(t *testing.T) {
	r := onRealCluster(t)
	r.Ingress("web", "a.example")
	log := &watchtest.Log{}
	_, got := r.run(Options{
		RESTConfig: r.restricted(), Namespaces: []string{r.Namespace}, Log: log.Logger(), Kinds: append(kinds.Core(), widgetKind()),
	})
	got.Until("complete without classes, namespaces and definitions", got.IsComplete)
	if got.Objects[r.Key(unit.Ingress, "web")] == nil {
		t.Errorf("have %v", got.Objects)
	}
	for _, resource := range []string{"ingressclasses", "namespaces"} {
		if n := log.Count("msg=\"continuing without a kind that the gateway may not list\" resource=" + resource); n != 1 {
			t.Errorf("%s: logged %d times", resource, n)
		}
	}
}
