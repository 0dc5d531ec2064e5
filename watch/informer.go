package watch

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// scope is the part of a cluster that one informer sees. The zero value is all.
type scope struct {
	namespace string
	name      string
	// optional: without the permission we go on without the objects.
	optional bool
}

// scopes are the parts to watch a kind in. Where namespaces are given, of
// cluster-wide objects we take the namespaces' own and can do without the rest.
// Custom kinds are features that an operator may not have granted.
func (c *Cluster) scopes(kind Kind) []scope {
	if len(c.namespaces) == 0 {
		return []scope{{optional: kind.Custom}}
	}
	if !kind.Namespaced && kind.Name != unit.Namespace {
		return []scope{{optional: true}}
	}
	var scopes []scope
	for _, namespace := range c.namespaces {
		if kind.Namespaced {
			scopes = append(scopes, scope{namespace: namespace, optional: kind.Custom})
		} else {
			scopes = append(scopes, scope{name: namespace, optional: true})
		}
	}
	return scopes
}

// informer keeps the objects of one kind in one scope and tells the cluster of
// their changes.
type informer struct {
	cluster *Cluster
	kind    Kind
	// resource is that of the kind, in the version in which it is read.
	resource schema.GroupVersionResource
	scope    scope
	shared   cache.SharedIndexInformer
	handler  cache.ResourceEventHandlerRegistration
	refused  sync.Once
	// held are the objects of the kind that were delivered; nil unless it is a custom one.
	held *held
}

// held are the objects of a custom kind that were delivered, each with the informer that
// delivered it last. An informer that is stopped may keep its last deletions to itself.
type held struct {
	mu      sync.Mutex
	objects map[unit.Key]*informer
}

func newInformer(c *Cluster, kind Kind, resource schema.GroupVersionResource, scope scope, held *held) (*informer, error) {
	i := &informer{cluster: c, kind: kind, resource: resource, scope: scope, held: held}
	shared, err := i.client()
	if err != nil {
		return nil, err
	}
	i.shared = shared
	if slices.Contains(ownedKinds, kind.Name) {
		if err := shared.AddIndexers(cache.Indexers{byOwner: ownerOf}); err != nil {
			return nil, err
		}
	}
	if err := i.shared.SetTransform(i.transform); err != nil {
		return nil, err
	}
	if err := i.shared.SetWatchErrorHandlerWithContext(i.failed); err != nil {
		return nil, err
	}
	i.handler, err = i.shared.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { i.deliver(object) },
		UpdateFunc: i.update,
		DeleteFunc: i.remove,
	})
	return i, err
}

// client picks the form in which the kind is watched.
func (i *informer) client() (cache.SharedIndexInformer, error) {
	clients, resource, namespace := i.cluster.clients, i.resource, i.scope.namespace
	switch {
	case i.kind.Custom:
		return dynamicinformer.NewFilteredDynamicInformer(
			clients.dynamic, resource, namespace, 0, cache.Indexers{}, i.tweak).Informer(), nil
	case i.kind.Fetch != nil:
		return metadatainformer.NewFilteredMetadataInformer(
			clients.metadata, resource, namespace, 0, cache.Indexers{}, i.tweak).Informer(), nil
	}
	typed, err := informers.NewSharedInformerFactoryWithOptions(clients.core, 0,
		informers.WithNamespace(namespace), informers.WithTweakListOptions(i.tweak)).ForResource(resource)
	if err != nil {
		return nil, err
	}
	return typed.Informer(), nil
}

func (i *informer) tweak(options *metav1.ListOptions) {
	options.FieldSelector = i.kind.Fields
	if i.scope.name != "" {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, i.scope.name).String()
	}
}

// run watches until the context ends.
func (i *informer) run(ctx context.Context) {
	go func() {
		select {
		case <-i.handler.HasSyncedChecker().Done():
			i.cluster.presence.reading.permit(i)
			i.cluster.arrived(i)
		case <-ctx.Done():
		}
	}()
	i.shared.RunWithContext(ctx)
}

// get returns the cached object, or nil.
func (i *informer) get(key unit.Key) unit.Object {
	name := cache.ObjectName{Namespace: key.Namespace, Name: key.Name}
	cached, _, _ := i.shared.GetStore().GetByKey(name.String())
	object, _ := cached.(unit.Object)
	return object
}

// transform makes of what came over the wire what is cached. It sees some
// objects twice.
func (i *informer) transform(received any) (any, error) {
	switch object := received.(type) {
	case *unstructured.Unstructured:
		return i.decode(object), nil
	case *metav1.PartialObjectMetadata:
		object.ManagedFields, object.Annotations, object.OwnerReferences, object.Finalizers = nil, nil, nil, nil
		return object, nil
	case unit.Object:
		i.kind.strip(object)
	}
	return received, nil
}

// decode returns the typed object, or one of metadata alone where the object
// isn't of the shape that we know.
func (i *informer) decode(received *unstructured.Unstructured) unit.Object {
	object := i.kind.New()
	if i.kind.Convert != nil {
		i.kind.Convert(received.Object)
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(received.Object, object)
	if err == nil {
		// Whatever version it was read in, it is the same to those who get it.
		object.GetObjectKind().SetGroupVersionKind(i.kind.GroupVersionKind())
		i.kind.strip(object)
		return object
	}
	i.cluster.log.Error("cannot read an object", "object", i.kind.key(received).String(), "error", err)
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace:       received.GetNamespace(),
		Name:            received.GetName(),
		UID:             received.GetUID(),
		ResourceVersion: received.GetResourceVersion(),
	}}
}

func (i *informer) update(before, after any) {
	old, ok := before.(unit.Object)
	object, ok2 := after.(unit.Object)
	switch {
	case ok && ok2 && old.GetResourceVersion() != "" && old.GetResourceVersion() == object.GetResourceVersion():
		// listed again
	case ok && ok2 && i.kind.Fetch == nil && i.kind.same(old, object):
		i.cluster.observed(i.kind.key(object))
	default:
		i.deliver(after)
	}
}

func (i *informer) deliver(received any) {
	object, ok := received.(unit.Object)
	if !ok {
		return
	}
	if _, partial := object.(*metav1.PartialObjectMetadata); partial {
		i.tell(i.kind.key(object), nil)
	} else {
		i.tell(i.kind.key(object), object)
	}
}

func (i *informer) remove(received any) {
	if last, ok := received.(cache.DeletedFinalStateUnknown); ok {
		received = last.Obj
	}
	if object, ok := received.(unit.Object); ok {
		i.tell(i.kind.key(object), nil)
	}
}

// tell hands on that an object is as given, or that there is none that we can
// read. What is fetched whole is told by the metadata's version instead.
func (i *informer) tell(key unit.Key, object unit.Object) {
	switch {
	case i.kind.Fetch != nil:
		i.cluster.wanted.changed(key)
	case i.held != nil:
		i.held.put(i, key, object)
	default:
		i.cluster.put(key, object)
	}
	i.cluster.observed(key)
}

// put delivers an object of a custom kind, or that there is none.
func (h *held) put(by *informer, key unit.Key, object unit.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	by.cluster.put(key, object)
	if object != nil {
		h.objects[key] = by
	} else {
		delete(h.objects, key)
	}
}

// drop delivers that all objects are gone which an informer delivered last, after its run
// has returned.
func (h *held) drop(stopped *informer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	stopped.cluster.arrived(stopped)
	for key, by := range h.objects {
		if by == stopped {
			stopped.cluster.put(key, nil)
			delete(h.objects, key)
			stopped.cluster.observed(key)
		}
	}
}

// failed is called with each failure of a list or watch; it is tried again with
// a growing delay whatever happens here.
func (i *informer) failed(_ context.Context, _ *cache.Reflector, err error) {
	switch {
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return // the ordinary ends of a watch
	case apierrors.IsForbidden(err) && i.scope.optional:
		i.refused.Do(func() {
			i.cluster.log.Info("going on without a kind that may not be listed", "resource", i.resource.Resource, "name", i.scope.name, "reason", err)
			i.cluster.presence.reading.refuse(i)
		})
		i.cluster.arrived(i)
	case apierrors.IsNotFound(err) && i.kind.Custom:
		// The version is not served any more; another one may be.
		i.cluster.presence.notify()
	default:
		i.cluster.failed(i.resource.Resource, err)
	}
}
