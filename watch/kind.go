package watch

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Kind is all that this package has to know about a kind of object to watch it.
// Name, Resource and New are required.
type Kind struct {
	Name       unit.Kind
	Resource   schema.GroupVersionResource
	Namespaced bool

	// Older are further API versions of a custom kind, the newest first. Where a cluster
	// does not serve the version of Resource, its objects are read, and their statuses
	// written, in the first of these that it serves. Their fields have to be those of New.
	Older []string

	// New returns an empty object, such as a *networkingv1.Ingress.
	New func() unit.Object

	// Custom kinds are defined by a CustomResourceDefinition, which may come and
	// go while we run. The others are part of every Kubernetes.
	Custom bool

	// Convert changes in place an object of a custom kind as other releases of its
	// definition have it to what New has fields for.
	Convert func(object map[string]any)

	// Complete adds to the status of an object, in place, what other releases of its
	// definition require of it.
	Complete func(object unit.Object, status map[string]any)

	// Fetch, if set, has the kind watched as metadata alone; what is wanted is
	// read whole by this function. An object that isn't there is a NotFound error.
	Fetch func(ctx context.Context, client kubernetes.Interface, namespace, name string) (unit.Object, error)

	// Fields is a field selector that every list and watch carries.
	Fields string

	// Strip clears in place what nobody reads, before the object is cached.
	Strip func(unit.Object)

	// Unread clears in place what is cached but no input of the translation. A
	// change of nothing else is not delivered.
	Unread func(unit.Object)

	// Default fills in place what an API server would have filled in; manifests
	// come without it.
	Default func(unit.Object)
}

// GroupVersionKind is what the apiVersion and kind of the objects say.
func (k Kind) GroupVersionKind() schema.GroupVersionKind {
	return k.Resource.GroupVersion().WithKind(string(k.Name))
}

// versions are all that objects can be read in, the preferred one first.
func (k Kind) versions() []string {
	return append([]string{k.Resource.Version}, k.Older...)
}

// in returns the resource of a version.
func (k Kind) in(version string) schema.GroupVersionResource {
	return k.Resource.GroupResource().WithVersion(version)
}

func (k Kind) key(object metav1.Object) unit.Key {
	key := unit.Key{Kind: k.Name, Name: object.GetName()}
	if k.Namespaced {
		key.Namespace = object.GetNamespace()
	}
	return key
}

// strip clears what no kind is read for, then what this kind isn't.
func (k Kind) strip(object unit.Object) {
	object.SetManagedFields(nil)
	if annotations := object.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		object.SetAnnotations(annotations)
	}
	if k.Strip != nil {
		k.Strip(object)
	}
}

// same tells that the translation can't see a difference between two states.
func (k Kind) same(a, b unit.Object) bool {
	return equality.Semantic.DeepEqual(k.read(a), k.read(b))
}

// read returns a copy with the inputs of the translation alone.
func (k Kind) read(object unit.Object) unit.Object {
	object = object.DeepCopyObject().(unit.Object)
	object.SetResourceVersion("")
	if k.Unread != nil {
		k.Unread(object)
	}
	return object
}

// created returns a function that makes empty objects of type *T.
func created[T any, P interface {
	*T
	unit.Object
}]() func() unit.Object {
	return func() unit.Object { return P(new(T)) }
}

// on makes a function over one type fit for objects of any.
func on[T unit.Object](f func(T)) func(unit.Object) {
	return func(object unit.Object) {
		if typed, ok := object.(T); ok {
			f(typed)
		}
	}
}
