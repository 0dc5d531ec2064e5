package watch

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestMain runs the tests in a lab, for the sake of those on a real API server.
func TestMain(m *testing.M) {
	for _, version := range gatewayReleases {
		lab.NeedModule(lab.GatewayAPI, version)
	}
	lab.Main(m)
}

// realCluster is a namespace in a real API server.
type realCluster struct {
	t         *testing.T
	ctx       context.Context
	config    *rest.Config
	core      kubernetes.Interface
	dynamic   dynamic.Interface
	namespace string
}

func onRealCluster(t *testing.T) *realCluster {
	t.Helper()
	config := lab.Shared(t).Config
	var err error
	r := &realCluster{t: t, ctx: context.Background(), config: config}
	r.core, err = kubernetes.NewForConfig(config)
	must(t, err)
	r.dynamic, err = dynamic.NewForConfig(config)
	must(t, err)
	namespace, err := r.core.CoreV1().Namespaces().Create(r.ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "watch-"}}, metav1.CreateOptions{})
	must(t, err)
	r.namespace = namespace.Name
	t.Cleanup(func() { _ = r.core.CoreV1().Namespaces().Delete(r.ctx, r.namespace, metav1.DeleteOptions{}) })
	return r
}

func (r *realCluster) key(kind unit.Kind, name string) unit.Key {
	return unit.Key{Kind: kind, Namespace: r.namespace, Name: name}
}

func (r *realCluster) ingress(name, host string) *networkingv1.Ingress {
	prefix := networkingv1.PathTypePrefix
	class := "kong"
	created, err := r.core.NetworkingV1().Ingresses(r.namespace).Create(r.ctx, &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: networkingv1.IngressSpec{IngressClassName: &class, Rules: []networkingv1.IngressRule{{Host: host,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}},
	}, metav1.CreateOptions{FieldManager: "kubectl"})
	must(r.t, err)
	return created
}

func (r *realCluster) secret(name string, kind corev1.SecretType, value string) {
	r.t.Helper()
	client := r.core.CoreV1().Secrets(r.namespace)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: map[string][]byte{"tls.crt": []byte(value)}}
	_, err := client.Create(r.ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = client.Update(r.ctx, secret, metav1.UpdateOptions{})
	}
	must(r.t, err)
}

func (r *realCluster) run(options ClusterOptions) (*Cluster, *consumer) {
	r.t.Helper()
	if options.RESTConfig == nil {
		options.RESTConfig = r.config
	}
	if options.Log == nil {
		options.Log = quiet()
	}
	c, err := NewCluster(options)
	must(r.t, err)
	running(r.t, c.Run)
	return c, consume(r.t, c)
}

func TestRealClusterSource(t *testing.T) {
	r := onRealCluster(t)
	r.ingress("web", "a.example")
	r.secret("tls", corev1.SecretTypeOpaque, "one")
	r.secret("release", "helm.sh/release.v1", "large")
	before := time.Now()
	c, got := r.run(ClusterOptions{})
	tls := r.key(unit.Secret, "tls")
	c.Want([]unit.Key{tls, r.key(unit.Secret, "absent")})
	got.until("complete", got.isComplete)
	web := r.key(unit.Ingress, "web")
	if got.objects[web] == nil || got.objects[web].GetManagedFields() != nil || got.count[web] != 1 {
		t.Errorf("%d times %+v", got.count[web], got.objects[web])
	}
	if got.value(tls) != "one" {
		t.Error("complete without the secret")
	}
	if c.Get(r.key(unit.Secret, "release")) != nil {
		t.Error("a release of Helm is cached")
	}
	if _, ok := c.Get(tls).(*metav1.PartialObjectMetadata); !ok {
		t.Errorf("the secret is cached as %T", c.Get(tls))
	}
	if c.LastContact().Before(before) {
		t.Errorf("last contact %v", c.LastContact())
	}

	r.secret("tls", corev1.SecretTypeOpaque, "two")
	got.until("rotated", func() bool { return got.value(tls) == "two" })
	r.secret("absent", corev1.SecretTypeOpaque, "three")
	c.Want([]unit.Key{tls, r.key(unit.Secret, "absent")})
	got.until("created", func() bool { return got.value(r.key(unit.Secret, "absent")) == "three" })
	c.Want(nil)
	got.until("dropped", func() bool { return got.objects[tls] == nil && got.objects[r.key(unit.Secret, "absent")] == nil })

	must(t, r.core.NetworkingV1().Ingresses(r.namespace).Delete(r.ctx, "web", metav1.DeleteOptions{}))
	got.until("deleted", got.hasNot(web))
}

func (r *realCluster) define() (remove func()) {
	definitions := r.dynamic.Resource(customResourceDefinitions)
	_, err := definitions.Create(r.ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "widgets.example.com"},
		"spec": map[string]any{
			"group": "example.com", "scope": "Namespaced",
			"names": map[string]any{"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{
				"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}},
		}}}, metav1.CreateOptions{})
	must(r.t, err)
	remove = func() { _ = definitions.Delete(r.ctx, "widgets.example.com", metav1.DeleteOptions{}) }
	r.t.Cleanup(remove)
	return remove
}

func TestRealCustomKind(t *testing.T) {
	r := onRealCluster(t)
	_, got := r.run(ClusterOptions{Kinds: append(CoreKinds(), widgetKind())})
	got.until("complete", got.isComplete)
	key := r.key("Widget", "a")
	for round := range 2 {
		remove := r.define()
		w := widget("a", int64(3+round))
		unstructured.RemoveNestedField(w.Object, "metadata", "resourceVersion")
		unstructured.RemoveNestedField(w.Object, "metadata", "managedFields")
		w.SetNamespace(r.namespace)
		eventually(t, "the API server takes widgets", func() bool {
			_, err := r.dynamic.Resource(widgets).Namespace(r.namespace).Create(r.ctx, w, metav1.CreateOptions{})
			return err == nil || apierrors.IsAlreadyExists(err)
		})
		got.until("widget", got.has(key))
		if size := got.objects[key].(*Widget).Spec.Size; size != int64(3+round) {
			t.Errorf("size %d", size)
		}
		remove()
		got.until("gone", got.hasNot(key))
		eventually(t, "the definition is gone", func() bool {
			_, err := r.dynamic.Resource(customResourceDefinitions).Get(r.ctx, "widgets.example.com", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	}
}

// restricted returns the credentials of a user that may read but in the namespace.
func (r *realCluster) restricted() *rest.Config {
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"services", "secrets"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"get", "list", "watch"}},
	}
	meta := metav1.ObjectMeta{Name: "reader", Namespace: r.namespace}
	_, err := r.core.RbacV1().Roles(r.namespace).Create(r.ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	must(r.t, err)
	_, err = r.core.RbacV1().RoleBindings(r.namespace).Create(r.ctx, &rbacv1.RoleBinding{ObjectMeta: meta,
		RoleRef:  rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "reader"},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: r.namespace, APIGroup: "rbac.authorization.k8s.io"}},
	}, metav1.CreateOptions{})
	must(r.t, err)
	config := rest.CopyConfig(r.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: r.namespace, Groups: []string{"system:authenticated"}}
	return config
}

func TestRealRestrictedPod(t *testing.T) {
	r := onRealCluster(t)
	r.ingress("web", "a.example")
	log := &lines{}
	_, got := r.run(ClusterOptions{
		RESTConfig: r.restricted(), Namespaces: []string{r.namespace}, Log: log.logger(), Kinds: append(CoreKinds(), widgetKind()),
	})
	got.until("complete without classes, namespaces and definitions", got.isComplete)
	if got.objects[r.key(unit.Ingress, "web")] == nil {
		t.Errorf("have %v", got.objects)
	}
	for _, resource := range []string{"ingressclasses", "namespaces"} {
		if n := log.count("msg=\"going on without a kind that may not be listed\" resource=" + resource); n != 1 {
			t.Errorf("%s: said %d times", resource, n)
		}
	}
}

func TestRealStatusAndEvents(t *testing.T) {
	r := onRealCluster(t)
	web := r.ingress("web", "a.example")
	r.ingress("marker", "b.example")
	proxy, err := r.core.CoreV1().Services(r.namespace).Create(r.ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "proxy"},
		Spec:       corev1.ServiceSpec{ExternalIPs: []string{"192.0.2.1"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	must(t, err)
	c, err := NewCluster(ClusterOptions{RESTConfig: r.config, Namespaces: []string{r.namespace}, Log: quiet()})
	must(t, err)
	w, err := NewWriter(c, WriterOptions{
		UpdateStatus: true, EmitEvents: true, ReportingInstance: "kong-1", Log: quiet(),
		PublishService: &types.NamespacedName{Namespace: proxy.Namespace, Name: proxy.Name},
		Lease:          LeaseOptions{Namespace: r.namespace},
	})
	must(t, err)
	running(t, c.Run)
	stop := running(t, w.Run)
	got := consume(t, c)
	got.until("complete", got.isComplete)

	key := r.key(unit.Ingress, "web")
	w.Report(Report{Object: key, Programmed: true, Verdicts: []unit.Verdict{unit.Warning(key, "BackendNotFound", "no Service web")}})
	w.Report(Report{Object: r.key(unit.Ingress, "marker"), Programmed: true})
	address := func(name string) string {
		i, err := r.core.NetworkingV1().Ingresses(r.namespace).Get(r.ctx, name, metav1.GetOptions{})
		must(t, err)
		if len(i.Status.LoadBalancer.Ingress) != 1 {
			return ""
		}
		return i.Status.LoadBalancer.Ingress[0].IP
	}
	eventually(t, "status", func() bool { return address("web") == "192.0.2.1" && address("marker") == "192.0.2.1" })
	eventually(t, "event", func() bool {
		events, err := r.core.CoreV1().Events(r.namespace).List(r.ctx, metav1.ListOptions{
			FieldSelector: fmt.Sprintf("involvedObject.uid=%s,reason=BackendNotFound", web.UID)})
		must(t, err)
		return len(events.Items) == 1 && events.Items[0].Message == "no Service web"
	})

	proxy.Spec.ExternalIPs = []string{"192.0.2.2"}
	_, err = r.core.CoreV1().Services(r.namespace).Update(r.ctx, proxy, metav1.UpdateOptions{})
	must(t, err)
	eventually(t, "new address", func() bool { return address("web") == "192.0.2.2" })
	w.Report(Report{Object: key, Gone: true})
	eventually(t, "no address", func() bool { return address("web") == "" })
	if got.count[key] > 1 {
		got.take()
		t.Errorf("our own writes were delivered: %d", got.count[key])
	}

	stop()
	lease, err := r.core.CoordinationV1().Leases(r.namespace).Get(r.ctx, "kube-sync", metav1.GetOptions{})
	must(t, err)
	if lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
		t.Errorf("held by %s", *lease.Spec.HolderIdentity)
	}
}
