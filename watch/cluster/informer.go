package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// subscriber receives what an informer sees. Its methods must not block.
type subscriber interface {
	// changed is called with the state of an object; nil if it is gone or cannot be read.
	changed(by *informer, key unit.Key, object unit.Object)
	// unread is called for a change of fields that the translation does not read.
	unread(key unit.Key)
	// listed is called once all objects of the first list have been delivered.
	listed(by *informer)
	// forbidden is called once if the objects of an optional scope may not be listed.
	forbidden(by *informer, reason error)
	// failed is called with every other failure of a list or watch; client-go retries.
	failed(by *informer, err error)
}

// informer keeps the objects of one kind in one scope.
type informer struct {
	kind kinds.Kind
	// resource is the kind's resource, in the version that the informer reads.
	resource   schema.GroupVersionResource
	scope      scope
	subscriber subscriber
	log        *slog.Logger
	shared     cache.SharedIndexInformer
	handler    cache.ResourceEventHandlerRegistration
	refused    sync.Once
	ignored    ignoredFields
	handled    handled
}

// informerFactory makes informers for its namespaces; for all if it has none.
type informerFactory struct {
	clients    *Clients
	namespaces []string
	log        *slog.Logger
}

// informers returns an informer of a kind for each scope. They do not run yet.
func (f informerFactory) informers(kind kinds.Kind, resource schema.GroupVersionResource, subscriber subscriber) ([]*informer, error) {
	var made []*informer
	for _, scope := range scopes(f.namespaces, kind) {
		i := &informer{kind: kind, resource: resource, scope: scope, subscriber: subscriber, log: f.log}
		if err := i.setUp(f.clients); err != nil {
			return nil, fmt.Errorf("watch %s: %w", resource.String(), err)
		}
		made = append(made, i)
	}
	return made, nil
}

func (i *informer) setUp(clients *Clients) (err error) {
	if i.shared, err = i.newShared(clients); err != nil {
		return err
	}
	if slices.Contains(owned.Kinds, i.kind.Name) {
		if err := i.shared.AddIndexers(cache.Indexers{byOwner: ownerOf}); err != nil {
			return err
		}
	}
	if err := i.shared.SetTransform(i.transform); err != nil {
		return err
	}
	if err := i.shared.SetWatchErrorHandlerWithContext(i.failed); err != nil {
		return err
	}
	i.handler, err = i.shared.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { i.deliver(object); i.handled.note(object) },
		UpdateFunc: func(before, after any) { i.update(before, after); i.handled.note(after) },
		DeleteFunc: func(object any) { i.remove(object); i.handled.note(object) },
	})
	return err
}

// newShared returns client-go's informer: a dynamic one, one of metadata, or a typed one.
func (i *informer) newShared(clients *Clients) (cache.SharedIndexInformer, error) {
	switch {
	case i.kind.Custom:
		return dynamicinformer.NewFilteredDynamicInformer(
			clients.Dynamic, i.resource, i.scope.namespace, 0, cache.Indexers{}, i.tweak).Informer(), nil
	case i.kind.Fetch != nil:
		return metadatainformer.NewFilteredMetadataInformer(
			clients.Metadata, i.resource, i.scope.namespace, 0, cache.Indexers{}, i.tweak).Informer(), nil
	}
	typed, err := informers.NewSharedInformerFactoryWithOptions(clients.Core, 0,
		informers.WithNamespace(i.scope.namespace), informers.WithTweakListOptions(i.tweak)).ForResource(i.resource)
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
			i.subscriber.listed(i)
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

// byOwner indexes the objects that Gateways own, so that a Gateway's objects are found
// without a search of its namespace.
const byOwner = "owned by a Gateway"

func ownerOf(cached any) ([]string, error) {
	object, ok := cached.(unit.Object)
	if !ok {
		return nil, nil
	}
	if key, ok := owned.KeyOf(object); ok {
		return []string{key}, nil
	}
	return nil, nil
}

// ownedBy returns the cached objects that a Gateway owns.
func (i *informer) ownedBy(gateway unit.Key) (objects []unit.Object) {
	found, _ := i.shared.GetIndexer().ByIndex(byOwner, owned.Key(gateway.Namespace, gateway.Name))
	for _, cached := range found {
		if object, ok := cached.(unit.Object); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// transform returns the part of a received object that is cached. Client-go calls it twice
// for some objects.
func (i *informer) transform(received any) (any, error) {
	switch object := received.(type) {
	case *unstructured.Unstructured:
		return i.decode(object), nil
	case *metav1.PartialObjectMetadata:
		object.ManagedFields, object.Annotations, object.OwnerReferences, object.Finalizers = nil, nil, nil, nil
		return object, nil
	case unit.Object:
		i.kind.Trim(object)
	}
	return received, nil
}

// decode returns the typed object, or only its metadata if the fields do not fit the type.
func (i *informer) decode(received *unstructured.Unstructured) unit.Object {
	object := i.kind.New()
	if i.kind.Ignored != nil {
		i.ignored.set(i.kind.Key(received), i.kind.Ignored(received.Object))
	}
	if i.kind.Convert != nil {
		i.kind.Convert(received.Object)
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(received.Object, object)
	if err == nil {
		// Readers always see the same version, whichever was read.
		object.GetObjectKind().SetGroupVersionKind(i.kind.GroupVersionKind())
		i.kind.Trim(object)
		return object
	}
	i.log.Error("cannot read an object", "object", i.kind.Key(received).String(), "error", err)
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
	case ok && ok2 && i.kind.Fetch == nil && i.kind.Same(old, object):
		i.subscriber.unread(i.kind.Key(object))
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
		i.subscriber.changed(i, i.kind.Key(object), nil)
	} else {
		i.subscriber.changed(i, i.kind.Key(object), object)
	}
}

func (i *informer) remove(received any) {
	if last, ok := received.(cache.DeletedFinalStateUnknown); ok {
		received = last.Obj
	}
	if object, ok := received.(unit.Object); ok {
		i.ignored.set(i.kind.Key(object), nil)
		i.subscriber.changed(i, i.kind.Key(object), nil)
	}
}

// failed classifies the failures of lists and watches. Client-go retries after each of them,
// with a growing delay.
func (i *informer) failed(_ context.Context, _ *cache.Reflector, err error) {
	switch {
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return // the ordinary ends of a watch
	case apierrors.IsForbidden(err) && i.scope.optional:
		i.refused.Do(func() {
			i.log.Info("continuing without a kind that the gateway may not list", "resource", i.resource.Resource, "name", i.scope.name, "reason", err)
			i.subscriber.forbidden(i, err)
		})
	default:
		i.subscriber.failed(i, err)
	}
}
