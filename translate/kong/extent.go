package kong

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Extent is which requests of a slot a route is for, so that routes can be compared: what the slot
// has itself, such as the port, is not in it.
type Extent struct {
	// path is the path as the router sees it, of elements without a slash at its end.
	path string
	kind route.PathKind
	// deep tells that a wildcard stands for any number of labels, not are hosts left out.
	deep bool
	not  []route.Host
	// methods and snis are in order, as are the values of headers and queries, and nil for all.
	// Server names narrow requests over TLS alone.
	methods, snis []string
	// headers are by name.
	headers, queries []route.Values
	// plain and secure tell that the route serves requests without or over TLS; redirects
	// that it answers those without by asking for TLS.
	plain, secure, redirects bool
}

func extentOf(r route.Route) *Extent {
	m := r.Match
	e := &Extent{path: m.Path.Value, kind: m.Path.Kind, deep: m.Deep || !m.Host.Wildcard(), not: m.NotHosts,
		methods: inOrder(m.Methods), snis: inOrder(m.SNIs), headers: byName(m.Headers), queries: byName(m.Queries)}
	if e.kind != route.Regex {
		e.path = normalized(e.path)
	}
	if e.kind == route.Elements {
		e.path = strings.TrimRight(e.path, "/")
	}
	for _, protocol := range r.Protocols {
		e.plain = e.plain || protocol == "http" || protocol == "grpc"
		e.secure = e.secure || protocol == "https" || protocol == "grpcs"
	}
	e.redirects = !e.plain && m.Scheme != "https"
	e.plain, e.secure = e.plain && m.Scheme != "https", e.secure && m.Scheme != "http"
	return e
}

// byName returns values in the order of their names, and their alternatives in order.
func byName(values []route.Values) []route.Values {
	values = slices.Clone(values)
	for i := range values {
		values[i].Values = inOrder(values[i].Values)
	}
	slices.SortStableFunc(values, func(a, b route.Values) int { return strings.Compare(a.Name, b.Name) })
	return values
}

// inOrder returns each of the values once.
func inOrder(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// effort is how many values may still be looked up for one comparison.
type effort int

func (w *effort) exceeded() bool { return *w < 0 }

// uncovered are the methods of requests of which a route may be left some; nil if it has no such
// requests.
func uncovered(some bool, methods []string) []string {
	switch {
	case !some:
		return nil
	case len(methods) == 0:
		return []string{""} // all
	}
	return methods
}

// cover returns which methods are left by a route that takes its own, nil for none, and whether
// it takes any.
func (e *Extent) cover(methods []string, w *effort) (left []string, took bool) {
	if len(e.methods) == 0 {
		return nil, true
	}
	for _, method := range methods {
		if !has(e.methods, method, w) {
			left = append(left, method)
		}
	}
	return left, len(left) < len(methods)
}

// matches reports whether a route is for all requests of another one, but for methods, server
// names, and whether they come over TLS.
func (e *Extent) matches(other *Extent, w *effort) bool {
	*w -= effort(1 + min(len(e.not), len(other.not)))
	return !w.exceeded() && e.hasPath(other) && (e.deep || !other.deep) && (len(e.not) == 0 || slices.Equal(e.not, other.not)) &&
		haveValues(e.headers, other.headers, w) && haveValues(e.queries, other.queries, w)
}

// meets reports whether plain requests may match both of two routes. Requests that have
// several values for one name are left out: they match routes of which each is for one of them.
func (e *Extent) meets(other *Extent, w *effort) bool {
	*w--
	if e.kind == route.Exact && other.kind == route.Exact && e.path != other.path {
		return false
	}
	return intersect(e.methods, other.methods, w) && valuesMeet(e.headers, other.headers, w) && valuesMeet(e.queries, other.queries, w)
}

// valuesMeet reports whether a request may have values that are among both.
func valuesMeet(a, b []route.Values, w *effort) bool {
	for len(a) > 0 && len(b) > 0 {
		*w--
		switch c := strings.Compare(a[0].Name, b[0].Name); {
		case c < 0:
			a = a[1:]
		case c > 0:
			b = b[1:]
		case !a[0].Regex && !b[0].Regex && !intersect(a[0].Values, b[0].Values, w):
			return false
		default:
			a, b = a[1:], b[1:]
		}
	}
	return true
}

// intersect reports whether alternatives, of which none stand for all, have one in common. It
// does too where looking costs too much.
func intersect(a, b []string, w *effort) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) == 0 || w.exceeded() || slices.ContainsFunc(a, func(s string) bool { return has(b, s, w) || w.exceeded() })
}

// has looks a value up among those that are in order.
func has(all []string, value string, w *effort) bool {
	if *w--; w.exceeded() {
		return false
	}
	_, found := slices.BinarySearch(all, value)
	return found
}

// hasPath reports whether a route is for all paths of another one of the same slot. Characters
// with a slash at the end are within the elements before it.
func (e *Extent) hasPath(other *Extent) bool {
	if e.kind == other.kind {
		return e.path == other.path
	}
	return e.kind == route.Elements && other.kind == route.Characters && len(other.path) == len(e.path)+1 &&
		strings.HasPrefix(other.path, e.path) && strings.HasSuffix(other.path, "/")
}

// haveValues reports whether alternatives are among those of the same names.
func haveValues(all, some []route.Values, w *effort) bool {
	return slices.EqualFunc(all, some, func(all, some route.Values) bool {
		return all.Name == some.Name && all.Regex == some.Regex && within(some.Values, all.Values, w)
	})
}

// within reports whether alternatives are among others, of which none stand for all. It does not
// where looking costs too much.
func within(some, all []string, w *effort) bool {
	if len(all) == 0 {
		return true
	}
	if len(some) == 0 || len(some) > len(all) {
		return false
	}
	return !slices.ContainsFunc(some, func(s string) bool { return !has(all, s, w) })
}
