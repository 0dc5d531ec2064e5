package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// FollowService calls a function with every state of one Service until the context ends,
// whether or not its namespace is watched. It returns once the first list is complete.
func (c *Cluster) FollowService(ctx context.Context, name types.NamespacedName, changed func(*corev1.Service)) {
	byName := func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name.Name).String()
	}
	informer := informers.NewSharedInformerFactoryWithOptions(c.clients.Core, 0,
		informers.WithNamespace(name.Namespace), informers.WithTweakListOptions(byName)).Core().V1().Services().Informer()
	deliver := func(received any) {
		if service, ok := received.(*corev1.Service); ok && service.Name == name.Name {
			changed(service)
		}
	}
	_ = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		c.contact.failed(fmt.Sprintf("service %s", name), err)
	})
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    deliver,
		UpdateFunc: func(_, after any) { deliver(after) },
	})
	if err != nil {
		return // only an informer that was stopped refuses handlers
	}
	go informer.RunWithContext(ctx)
	cache.WaitFor(ctx, "", handler.HasSyncedChecker())
}
