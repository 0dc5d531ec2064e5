package kong

import (
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// OwnTag is what the tags begin with that name an entity's object. Users have no such tags.
const OwnTag = "k8s-"

// ValidTag reports whether Kong takes a tag: printable text without commas and slashes, which are
// for queries by tag.
func ValidTag(tag string) bool {
	return tag != "" && strings.IndexFunc(tag, func(r rune) bool {
		return r < ' ' || r == ',' || r == '/' || r == '\x7f' || r == utf8.RuneError
	}) < 0
}

// Tags tell which object an entity comes from, for people, dashboards and Kong's
// own error messages; the user's own come last. Parts that the object does not have
// are left out.
func Tags(object metav1.Object, gvk schema.GroupVersionKind, users ...string) []string {
	tags := make([]string, 0, 6+len(users))
	add := func(prefix, value string) {
		if tag := prefix + value; value != "" && ValidTag(tag) && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	add("k8s-name:", object.GetName())
	add("k8s-namespace:", object.GetNamespace())
	add("k8s-kind:", gvk.Kind)
	add("k8s-uid:", string(object.GetUID()))
	add("k8s-group:", gvk.Group)
	add("k8s-version:", gvk.Version)
	for _, tag := range users {
		add("", tag)
	}
	return tags
}
