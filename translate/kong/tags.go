package kong

import (
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// OwnTag is the prefix of the tags that name an entity's object. Users' tags must not have it.
const OwnTag = "k8s-"

const (
	nameTag      = OwnTag + "name:"
	namespaceTag = OwnTag + "namespace:"
	kindTag      = OwnTag + "kind:"
)

// ValidTag reports whether Kong accepts a tag: a printable string without commas and slashes,
// which queries by tag use.
func ValidTag(tag string) bool {
	return tag != "" && strings.IndexFunc(tag, func(r rune) bool {
		return r < ' ' || r == ',' || r == '/' || r == '\x7f' || r == utf8.RuneError
	}) < 0
}

// Tags returns tags that name an entity's object, for people, dashboards and Kong's error
// messages, followed by the user's tags. It omits what the object does not have.
func Tags(object metav1.Object, gvk schema.GroupVersionKind, users ...string) []string {
	tags := make([]string, 0, 6+len(users))
	add := func(prefix, value string) {
		if tag := prefix + value; value != "" && ValidTag(tag) && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	add(nameTag, object.GetName())
	add(namespaceTag, object.GetNamespace())
	add(kindTag, gvk.Kind)
	add("k8s-uid:", string(object.GetUID()))
	add("k8s-group:", gvk.Group)
	add("k8s-version:", gvk.Version)
	for _, tag := range users {
		add("", tag)
	}
	return tags
}

// TaggedSource returns the object that an entity's tags name, as far as they do.
func TaggedSource(tags []string) (s Source) {
	for _, tag := range tags {
		if name, ok := strings.CutPrefix(tag, nameTag); ok {
			s.Name = name
		} else if namespace, ok := strings.CutPrefix(tag, namespaceTag); ok {
			s.Namespace = namespace
		} else if kind, ok := strings.CutPrefix(tag, kindTag); ok {
			s.Kind = kind
		}
	}
	return s
}
