package kinds

import (
	"context"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// Kind says how objects of a kind are watched, read and written. Name, Resource and New are
// required.
type Kind struct {
	Name       unit.Kind
	Resource   schema.GroupVersionResource
	Namespaced bool

	// Older are further API versions of a custom kind, the newest first. Where a cluster
	// does not serve the version of Resource, objects are read and statuses are written in
	// the first of these that it serves. Their fields are those of New.
	Older []string

	// New returns an empty object, such as a *networkingv1.Ingress.
	New func() unit.Object

	// Custom kinds are defined by a CustomResourceDefinition, which may come and go at any
	// time. The other kinds are part of every Kubernetes.
	Custom bool

	// Convert changes an object of a custom kind in place. It turns fields of other releases
	// of its definition into fields of New.
	Convert func(object map[string]any)

	// Ignored returns the fields of an object of a custom kind that other releases of its definition
	// have and that neither New nor Convert reads.
	Ignored func(object map[string]any) []IgnoredField

	// Complete adds to the status of an object, in place, the fields that other releases of
	// its definition require.
	Complete func(object unit.Object, status map[string]any)

	// Fetch reads one whole object. If it is set, the kind is watched as metadata only, and
	// only wanted objects are fetched. A missing object is a NotFound error.
	Fetch func(ctx context.Context, client kubernetes.Interface, namespace, name string) (unit.Object, error)

	// Fields is a field selector for every list and watch.
	Fields string

	// Strip clears in place the fields that nothing reads, before the object is cached.
	Strip func(unit.Object)

	// Unread clears the fields that are cached but that the translation does not read. A
	// change of nothing else is not delivered. It is called with a shallow copy: it may
	// assign the fields of the object itself, and nothing that they point to.
	Unread func(unit.Object)

	// Default sets in place the defaults that an API server would set. Objects of manifests
	// lack them.
	Default func(unit.Object)
}

// IgnoredField is a field of an object that has no effect.
type IgnoredField struct {
	Path field.Path
	// Reason is why it has no effect, and what to do: the end of a sentence.
	Reason string
}

// GroupVersionKind is the apiVersion and kind of the objects.
func (k Kind) GroupVersionKind() schema.GroupVersionKind {
	return k.Resource.GroupVersion().WithKind(string(k.Name))
}

// Versions are the API versions in which objects can be read, the preferred one first.
func (k Kind) Versions() []string {
	return append([]string{k.Resource.Version}, k.Older...)
}

// In returns the resource in an API version.
func (k Kind) In(version string) schema.GroupVersionResource {
	return k.Resource.GroupResource().WithVersion(version)
}

// Key returns the key of an object of the kind.
func (k Kind) Key(object metav1.Object) unit.Key {
	key := k.Name.Key("", object.GetName())
	if k.Namespaced {
		key.Namespace = object.GetNamespace()
	}
	return key
}

// Trim clears in place the fields that are read of no kind, and those that Strip clears. Of the
// managed fields it keeps what [watch.Written] reads.
func (k Kind) Trim(object unit.Object) {
	watch.KeepWritten(object)
	if annotations := object.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		object.SetAnnotations(annotations)
	}
	if k.Strip != nil {
		k.Strip(object)
	}
}

// Same reports whether two objects are equal in everything that the translation reads.
func (k Kind) Same(a, b unit.Object) bool {
	return equality.Semantic.DeepEqual(k.read(a), k.read(b))
}

// read returns a shallow copy that has only the fields that the translation reads. A deep
// copy would cost more than the comparison.
func (k Kind) read(object unit.Object) unit.Object {
	original := reflect.ValueOf(object).Elem()
	copied := reflect.New(original.Type())
	copied.Elem().Set(original)
	object = copied.Interface().(unit.Object)
	object.SetResourceVersion("")
	object.SetManagedFields(nil)
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

// on turns a function over one type into a function over objects, which ignores other types.
func on[T unit.Object](f func(T)) func(unit.Object) {
	return func(object unit.Object) {
		if typed, ok := object.(T); ok {
			f(typed)
		}
	}
}
