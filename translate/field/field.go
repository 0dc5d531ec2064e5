// Package field names the fields of Kubernetes objects in diagnostics.
package field

import (
	"strconv"
	"strings"
)

// Path is the path of a field of an object, as Kubernetes writes it:
// "spec.rules[0].backendRefs[1].name", "metadata.annotations[konghq.com/methods]". The empty
// path is the object as a whole.
//
// It is the string form of a [k8s.io/apimachinery/pkg/util/validation/field.Path]: strings are
// comparable, and each route has several paths, most of which are never read.
type Path string

// NewPath returns the path of nested fields, the outermost first.
func NewPath(names ...string) Path { return Path(strings.Join(names, ".")) }

// Child returns the path of a field within the field.
func (p Path) Child(names ...string) Path {
	name := strings.Join(names, ".")
	if p == "" {
		return Path(name)
	}
	return p + "." + Path(name)
}

// Index returns the path of an element of a list.
func (p Path) Index(i int) Path { return p + "[" + Path(strconv.Itoa(i)) + "]" }

// Key returns the path of a value in a map.
func (p Path) Key(key string) Path { return p + "[" + Path(key) + "]" }

// Within returns the path with another one in front.
func (p Path) Within(outer Path) Path {
	if outer == "" || p == "" || p[0] == '[' {
		return outer + p
	}
	return outer + "." + p
}

// IsIn reports whether the field is the outer one or within it.
func (p Path) IsIn(outer Path) bool {
	rest, ok := strings.CutPrefix(string(p), string(outer))
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// Steps returns the parts of the path, in order: names, indexes and keys.
func (p Path) Steps() (all []string) {
	for path := string(p); path != ""; {
		step, rest := path, ""
		if path[0] == '[' {
			step, rest, _ = strings.Cut(path[1:], "]")
		} else if end := strings.IndexAny(path, ".["); end >= 0 {
			step, rest = path[:end], path[end:]
		}
		all, path = append(all, step), strings.TrimPrefix(rest, ".")
	}
	return all
}

func (p Path) String() string { return string(p) }
