package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// fakes stand in for an API server that can store widgets.
type fakes struct{ *watchtest.Fakes }

func newFakes(objects ...runtime.Object) fakes {
	return fakes{watchtest.NewFakes(map[schema.GroupVersionResource]string{widgets: "WidgetList", olderWidgets: "WidgetList"}, objects...)}
}

// new returns a source over the fakes.
func (f fakes) new(t *testing.T, options Options) *Cluster {
	t.Helper()
	if options.Log == nil {
		options.Log = watchtest.Quiet()
	}
	options.Clients = &Clients{Core: f.Core, Metadata: f.Metadata, Dynamic: f.Dynamic, Lease: f.Core, Resources: f.Resources}
	c, err := New(options)
	watchtest.Must(t, err)
	return c
}

// cluster runs a source over the fakes.
func (f fakes) cluster(t *testing.T, options Options) (*Cluster, *watchtest.Consumer) {
	t.Helper()
	c := f.new(t, options)
	watchtest.Running(t, c.Run)
	return c, watchtest.Consume(t, c)
}

func TestClusterDeliversWhatIsThereAndWhatChanges(t *testing.T) {
	ctx := context.Background()
	f := newFakes(
		watchtest.Ingress("web", "a.example"),
		&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "kong"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}},
		&discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1"}},
	)
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)
	for _, key := range []unit.Key{
		watchtest.IngressKey("web"), {Kind: unit.IngressClass, Name: "kong"}, {Kind: unit.Namespace, Name: "shop"},
		{Kind: unit.Service, Namespace: "shop", Name: "web"}, {Kind: unit.EndpointSlice, Namespace: "shop", Name: "web-1"},
	} {
		if got.Objects[key] == nil || got.Count[key] != 1 {
			t.Errorf("%v: %d times, %v", key, got.Count[key], got.Objects[key])
		}
	}
	if _, ok := c.Get(watchtest.IngressKey("web")).(*networkingv1.Ingress); !ok {
		t.Errorf("cached %T", c.Get(watchtest.IngressKey("web")))
	}

	client := f.Core.NetworkingV1().Ingresses("shop")
	if _, err := client.Create(ctx, watchtest.Ingress("new"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got.Until("created", got.Has(watchtest.IngressKey("new")))
	if _, err := client.Update(ctx, watchtest.Ingress("web", "b.example"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	got.Until("updated", func() bool {
		return got.Objects[watchtest.IngressKey("web")].(*networkingv1.Ingress).Spec.Rules[0].Host == "b.example"
	})
	if err := client.Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	got.Until("deleted", got.HasNot(watchtest.IngressKey("web")))
	if got.Count[watchtest.IngressKey("web")] != 3 || !got.Complete {
		t.Errorf("%d changes, complete %v", got.Count[watchtest.IngressKey("web")], got.Complete)
	}
}

func TestClusterIsNotCompleteBeforeItRuns(t *testing.T) {
	if newFakes().new(t, Options{}).Take().Complete {
		t.Error("complete")
	}
}

func TestClusterDoesNotDeliverWhatTheTranslationCannotSee(t *testing.T) {
	ctx := context.Background()
	f := newFakes(watchtest.Ingress("web"))
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)

	changed := watchtest.Ingress("web")
	changed.ResourceVersion = "7"
	changed.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	client := f.Core.NetworkingV1().Ingresses("shop")
	if _, err := client.UpdateStatus(ctx, changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	watchtest.Eventually(t, "status cached", func() bool {
		return len(c.Get(watchtest.IngressKey("web")).(*networkingv1.Ingress).Status.LoadBalancer.Ingress) == 1
	})
	// A later change arrives, so the earlier one was not delivered.
	if _, err := client.Create(ctx, watchtest.Ingress("marker"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got.Until("marker", got.Has(watchtest.IngressKey("marker")))
	if got.Count[watchtest.IngressKey("web")] != 1 {
		t.Errorf("delivered %d times", got.Count[watchtest.IngressKey("web")])
	}
}

func TestClusterKeepsToItsNamespaces(t *testing.T) {
	f := newFakes(
		watchtest.Ingress("web"),
		&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "web"}},
		&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "blog", Name: "web"}},
	)
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "ingressclasses"}, "", fmt.Errorf("not in a Role"))
	for _, verb := range []string{"list", "watch"} {
		f.Core.PrependReactor(verb, "ingressclasses", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, refused
		})
	}
	f.Core.PrependWatchReactor("ingressclasses", func(clienttesting.Action) (bool, apiwatch.Interface, error) { return true, nil, refused })

	_, got := f.cluster(t, Options{Namespaces: []string{"shop", "blog", "shop"}})
	got.Until("complete without the classes", got.IsComplete)
	if len(got.Objects) != 2 || got.Objects[watchtest.IngressKey("web")] == nil {
		t.Errorf("have %v", got.Objects)
	}
	for _, action := range slices.Concat(f.Core.Actions(), f.Metadata.Actions()) {
		if action.GetNamespace() == "" && !slices.Contains([]string{"ingressclasses", "namespaces", "customresourcedefinitions"}, action.GetResource().Resource) {
			t.Errorf("%s %s in all namespaces", action.GetVerb(), action.GetResource().Resource)
		}
		if list, ok := action.(clienttesting.ListAction); ok && action.GetResource().Resource == "namespaces" &&
			list.GetListRestrictions().Fields.Empty() {
			t.Error("all namespaces listed")
		}
	}
}

func TestClusterIsNotCompleteWithoutWhatItMustRead(t *testing.T) {
	f := newFakes(watchtest.Ingress("web"))
	var mu sync.Mutex
	down := true
	fail := func(clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		return down, nil, apierrors.NewServiceUnavailable("starting")
	}
	f.Core.PrependReactor("list", "services", fail)
	_, got := f.cluster(t, Options{})
	got.Until("ingress", got.Has(watchtest.IngressKey("web")))
	if got.Complete {
		t.Error("complete without Services")
	}
	mu.Lock()
	down = false
	mu.Unlock()
	got.Until("complete after the API server is back", got.IsComplete)
}
