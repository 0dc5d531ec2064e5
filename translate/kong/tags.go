package kong

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Tags tell which object an entity comes from, for people, dashboards and Kong's
// own error messages; the user's own come last. Parts that the object does not have
// are left out.
func Tags(object metav1.Object, gvk schema.GroupVersionKind, users ...string) []string {
	tags := make([]string, 0, 6+len(users))
	add := func(prefix, value string) {
		if value != "" {
			tags = append(tags, prefix+value)
		}
	}
	add("k8s-name:", object.GetName())
	add("k8s-namespace:", object.GetNamespace())
	add("k8s-kind:", gvk.Kind)
	add("k8s-uid:", string(object.GetUID()))
	add("k8s-group:", gvk.Group)
	add("k8s-version:", gvk.Version)
	return append(tags, users...)
}
