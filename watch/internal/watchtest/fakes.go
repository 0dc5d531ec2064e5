package watchtest

import (
	"context"
	"sync"

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

// Fakes stand in for an API server.
type Fakes struct {
	Core     *corefake.Clientset
	Metadata *metadatafake.FakeMetadataClient
	Dynamic  *dynamicfake.FakeDynamicClient

	mu     sync.Mutex
	served map[schema.GroupVersion][]string
}

// NewFakes returns an API server that holds objects of Kubernetes' own kinds and can store
// objects of the custom kinds.
func NewFakes(custom map[schema.GroupVersionResource]string, objects ...runtime.Object) *Fakes {
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		panic(err)
	}
	core := corefake.NewClientset(objects...)
	core.PrependWatchReactor("*", copying(core.Tracker()))
	return &Fakes{
		Core:     core,
		Metadata: metadatafake.NewSimpleMetadataClient(scheme),
		Dynamic:  dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), custom),
		served:   map[schema.GroupVersion][]string{},
	}
}

// copying answers watches with copies. The first events of a fake watch are the stored objects
// themselves, which informers would strip in place.
func copying(tracker clienttesting.ObjectTracker) clienttesting.WatchReactionFunc {
	return func(action clienttesting.Action) (bool, apiwatch.Interface, error) {
		var options metav1.ListOptions
		if typed, ok := action.(clienttesting.WatchActionImpl); ok {
			options = typed.ListOptions
		}
		events, err := tracker.Watch(action.GetResource(), action.GetNamespace(), options)
		if err != nil {
			return true, nil, err
		}
		return true, apiwatch.Filter(events, func(e apiwatch.Event) (apiwatch.Event, bool) {
			e.Object = e.Object.DeepCopyObject()
			return e, true
		}), nil
	}
}

// Serve makes discovery answer with the resources of a version.
func (f *Fakes) Serve(version schema.GroupVersion, resources ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served[version] = resources
}

// Resources answers discovery.
func (f *Fakes) Resources(_ context.Context, version schema.GroupVersion) (*metav1.APIResourceList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	resources, ok := f.served[version]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, "")
	}
	list := &metav1.APIResourceList{}
	for _, resource := range resources {
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: resource})
	}
	return list, nil
}

// Ingress returns an Ingress of namespace shop.
func Ingress(name string, hosts ...string) *networkingv1.Ingress {
	i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-1"}}
	for _, host := range hosts {
		i.Spec.Rules = append(i.Spec.Rules, networkingv1.IngressRule{Host: host})
	}
	return i
}

// IngressKey is the key of an Ingress of namespace shop.
func IngressKey(name string) unit.Key {
	return unit.Ingress.Key("shop", name)
}
