package watch

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
	dynamicfake "k8s.io/client-go/dynamic/fake"
	corefake "k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// fakes stand in for an API server.
type fakes struct {
	core     *corefake.Clientset
	metadata *metadatafake.FakeMetadataClient
	dynamic  *dynamicfake.FakeDynamicClient

	mu     sync.Mutex
	served map[schema.GroupVersion][]string
	down   error
}

func newFakes(objects ...runtime.Object) *fakes {
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		panic(err)
	}
	return &fakes{
		core:     corefake.NewClientset(objects...),
		metadata: metadatafake.NewSimpleMetadataClient(scheme),
		dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
			map[schema.GroupVersionResource]string{widgets: "WidgetList", olderWidgets: "WidgetList"}),
		served: map[schema.GroupVersion][]string{},
	}
}

func (f *fakes) clients() *clients {
	return &clients{core: f.core, metadata: f.metadata, dynamic: f.dynamic, lease: f.core, resources: f.resources}
}

func (f *fakes) serve(version schema.GroupVersion, resources ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served[version] = resources
}

func (f *fakes) resources(_ context.Context, version schema.GroupVersion) (*metav1.APIResourceList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	resources, ok := f.served[version]
	if f.down != nil {
		return nil, f.down
	}
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, "")
	}
	list := &metav1.APIResourceList{}
	for _, resource := range resources {
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: resource})
	}
	return list, nil
}

// cluster runs a source over the fakes.
func (f *fakes) cluster(t *testing.T, options ClusterOptions) (*Cluster, *consumer) {
	t.Helper()
	if options.Log == nil {
		options.Log = quiet()
	}
	c, err := newCluster(options, f.clients(), &contact{})
	if err != nil {
		t.Fatal(err)
	}
	running(t, c.Run)
	return c, consume(t, c)
}

func ingress(name string, hosts ...string) *networkingv1.Ingress {
	i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-" + "1"}}
	for _, host := range hosts {
		i.Spec.Rules = append(i.Spec.Rules, networkingv1.IngressRule{Host: host})
	}
	return i
}

func ingressKey(name string) unit.Key {
	return unit.Key{Kind: unit.Ingress, Namespace: "shop", Name: name}
}

func TestClusterDeliversWhatIsThereAndWhatChanges(t *testing.T) {
	ctx := context.Background()
	f := newFakes(
		ingress("web", "a.example"),
		&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "kong"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}},
		&discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1"}},
	)
	c, got := f.cluster(t, ClusterOptions{})
	got.until("complete", got.isComplete)
	for _, key := range []unit.Key{
		ingressKey("web"), {Kind: unit.IngressClass, Name: "kong"}, {Kind: unit.Namespace, Name: "shop"},
		{Kind: unit.Service, Namespace: "shop", Name: "web"}, {Kind: unit.EndpointSlice, Namespace: "shop", Name: "web-1"},
	} {
		if got.objects[key] == nil || got.count[key] != 1 {
			t.Errorf("%v: %d times, %v", key, got.count[key], got.objects[key])
		}
	}
	if _, ok := c.Get(ingressKey("web")).(*networkingv1.Ingress); !ok {
		t.Errorf("cached %T", c.Get(ingressKey("web")))
	}

	client := f.core.NetworkingV1().Ingresses("shop")
	if _, err := client.Create(ctx, ingress("new"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got.until("created", got.has(ingressKey("new")))
	if _, err := client.Update(ctx, ingress("web", "b.example"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	got.until("updated", func() bool {
		return got.objects[ingressKey("web")].(*networkingv1.Ingress).Spec.Rules[0].Host == "b.example"
	})
	if err := client.Delete(ctx, "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	got.until("deleted", got.hasNot(ingressKey("web")))
	if got.count[ingressKey("web")] != 3 || !got.complete {
		t.Errorf("%d changes, complete %v", got.count[ingressKey("web")], got.complete)
	}
}

func TestClusterIsNotCompleteBeforeItRuns(t *testing.T) {
	c, err := newCluster(ClusterOptions{}, newFakes().clients(), &contact{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Take().Complete {
		t.Error("complete")
	}
}

func TestClusterDoesNotDeliverWhatTheTranslationCannotSee(t *testing.T) {
	ctx := context.Background()
	f := newFakes(ingress("web"))
	c, got := f.cluster(t, ClusterOptions{})
	got.until("complete", got.isComplete)

	changed := ingress("web")
	changed.ResourceVersion = "7"
	changed.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	client := f.core.NetworkingV1().Ingresses("shop")
	if _, err := client.UpdateStatus(ctx, changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "status cached", func() bool {
		return len(c.Get(ingressKey("web")).(*networkingv1.Ingress).Status.LoadBalancer.Ingress) == 1
	})
	// What comes after it arrives, and it didn't before.
	if _, err := client.Create(ctx, ingress("marker"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got.until("marker", got.has(ingressKey("marker")))
	if got.count[ingressKey("web")] != 1 {
		t.Errorf("delivered %d times", got.count[ingressKey("web")])
	}
}

func TestClusterKeepsToItsNamespaces(t *testing.T) {
	f := newFakes(
		ingress("web"),
		&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "web"}},
		&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "blog", Name: "web"}},
	)
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "ingressclasses"}, "", fmt.Errorf("not in a Role"))
	for _, verb := range []string{"list", "watch"} {
		f.core.PrependReactor(verb, "ingressclasses", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, refused
		})
	}
	f.core.PrependWatchReactor("ingressclasses", func(clienttesting.Action) (bool, apiwatch.Interface, error) { return true, nil, refused })

	_, got := f.cluster(t, ClusterOptions{Namespaces: []string{"shop", "blog", "shop"}})
	got.until("complete without the classes", got.isComplete)
	if len(got.objects) != 2 || got.objects[ingressKey("web")] == nil {
		t.Errorf("have %v", got.objects)
	}
	for _, action := range slices.Concat(f.core.Actions(), f.metadata.Actions()) {
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
	f := newFakes(ingress("web"))
	var mu sync.Mutex
	down := true
	fail := func(clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		return down, nil, apierrors.NewServiceUnavailable("starting")
	}
	f.core.PrependReactor("list", "services", fail)
	_, got := f.cluster(t, ClusterOptions{})
	got.until("ingress", got.has(ingressKey("web")))
	if got.complete {
		t.Error("complete without Services")
	}
	mu.Lock()
	down = false
	mu.Unlock()
	got.until("complete after the API server is back", got.isComplete)
}
