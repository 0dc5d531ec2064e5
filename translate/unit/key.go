package unit

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Kind is the kind of a Kubernetes object, such as "Ingress". The kinds that
// are read are unique by this name alone, whatever their API group.
type Kind string

// The kinds of Kubernetes' own API groups. Source families declare further ones.
const (
	Ingress       Kind = "Ingress"
	IngressClass  Kind = "IngressClass"
	Service       Kind = "Service"
	EndpointSlice Kind = "EndpointSlice"
	Secret        Kind = "Secret"
	Namespace     Kind = "Namespace"
	// CustomResourceDefinition is metadata alone, and that only of those which say what bundle they are of.
	CustomResourceDefinition Kind = "CustomResourceDefinition"
)

// Key names one Kubernetes object. Namespace is empty for cluster-scoped kinds.
type Key struct {
	Kind      Kind
	Namespace string
	Name      string
}

// String gives the form that messages use: "Ingress shop/web".
func (k Key) String() string {
	if k.Namespace == "" {
		return string(k.Kind) + " " + k.Name
	}
	return string(k.Kind) + " " + k.Namespace + "/" + k.Name
}

// Compare orders keys by kind, namespace and name.
func (k Key) Compare(other Key) int {
	if c := strings.Compare(string(k.Kind), string(other.Kind)); c != 0 {
		return c
	}
	if c := strings.Compare(k.Namespace, other.Namespace); c != 0 {
		return c
	}
	return strings.Compare(k.Name, other.Name)
}

// Object is a Kubernetes object as the translation reads it. Objects are shared
// with the caches they come from and are never modified.
type Object interface {
	metav1.Object
	runtime.Object
}

// Change says that an object is now as given, or gone when Object is nil.
type Change struct {
	Key    Key
	Object Object
}

// Role is what a unit does, such as "ingress" or "backend".
type Role string

// ID names one unit. Sub tells units of one role and one object apart, such as
// the port of a Service; it is empty for units of source objects.
type ID struct {
	Role      Role
	Namespace string
	Name      string
	Sub       string
}

// String gives the form that logs use: "backend shop/web:80".
func (id ID) String() string {
	s := string(id.Role) + " " + id.Namespace + "/" + id.Name
	if id.Sub != "" {
		s += ":" + id.Sub
	}
	return s
}

// Compare orders ids by role, namespace, name and sub.
func (id ID) Compare(other ID) int {
	if c := strings.Compare(string(id.Role), string(other.Role)); c != 0 {
		return c
	}
	if c := strings.Compare(id.Namespace, other.Namespace); c != 0 {
		return c
	}
	if c := strings.Compare(id.Name, other.Name); c != 0 {
		return c
	}
	return strings.Compare(id.Sub, other.Sub)
}
