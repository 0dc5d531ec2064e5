package unit

import (
	"cmp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Kind is the kind of a Kubernetes object, such as "Ingress". The kinds that
// are read are unique by this name alone, whatever their API group.
type Kind string

// String returns the name of the kind.
func (k Kind) String() string { return string(k) }

// Key returns the key of an object of the kind. The namespace is empty for cluster-scoped kinds.
func (k Kind) Key(namespace, name string) Key {
	return Key{Kind: k, Namespace: namespace, Name: name}
}

// Of returns the key of an object of the kind.
func (k Kind) Of(object metav1.Object) Key { return k.Key(object.GetNamespace(), object.GetName()) }

// Key names one Kubernetes object. Namespace is empty for cluster-scoped kinds.
type Key struct {
	Kind      Kind
	Namespace string
	Name      string
}

// String returns the form that messages use: "Ingress shop/web".
func (k Key) String() string {
	if k.Namespace == "" {
		return string(k.Kind) + " " + k.Name
	}
	return string(k.Kind) + " " + k.Namespace + "/" + k.Name
}

// Compare orders keys by kind, namespace and name.
func (k Key) Compare(other Key) int {
	return cmp.Or(strings.Compare(string(k.Kind), string(other.Kind)), strings.Compare(k.Namespace, other.Namespace), strings.Compare(k.Name, other.Name))
}

// Object is a Kubernetes object as the translation reads it. Objects are shared with the caches
// that they come from and must not be modified.
type Object interface {
	metav1.Object
	runtime.Object
}

// Change is the new state of an object. Object is nil if the object was deleted.
type Change struct {
	Key    Key
	Object Object
}
