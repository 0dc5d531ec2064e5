package routing

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Extent is the set of a slot's requests that a route matches, for comparing routes. It omits
// what the slot determines, such as the port.
type Extent struct {
	// path is the path as the router sees it. A path of elements has no final slash.
	path string
	kind route.PathKind
	// deep is set if the host covers any number of labels. not are excluded hosts.
	deep bool
	not  []route.Host
	// methods and snis are sorted, as are the values of headers and queries; nil means all.
	// Server names only restrict requests over TLS.
	methods, snis []string
	// headers and queries are sorted by name.
	headers, queries []route.Values
	// plain and secure are set if the route serves requests without and over TLS; redirects if it
	// answers plain requests with a redirect to TLS.
	plain, secure, redirects bool
}

func ExtentOf(r route.Route) *Extent {
	m := r.Match
	e := &Extent{path: m.Path.Value, kind: m.Path.Kind, deep: m.Deep || !m.Host.Wildcard(), not: m.NotHosts,
		methods: inOrder(m.Methods), snis: inOrder(m.SNIs), headers: byName(m.Headers), queries: byName(m.Queries)}
	if e.kind != route.Regex {
		e.path = Normalized(e.path)
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

// byName returns values sorted by name, with their alternatives sorted.
func byName(values []route.Values) []route.Values {
	values = slices.Clone(values)
	for i := range values {
		values[i].Values = inOrder(values[i].Values)
	}
	slices.SortStableFunc(values, func(a, b route.Values) int { return strings.Compare(a.Name, b.Name) })
	return values
}

// inOrder returns the distinct values, sorted.
func inOrder(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// effort is the number of look-ups left for one comparison.
type effort int

func (w *effort) exceeded() bool { return *w < 0 }

// uncovered returns the methods of a route's requests; nil if the route has no such requests.
func uncovered(some bool, methods []string) []string {
	switch {
	case !some:
		return nil
	case len(methods) == 0:
		return []string{""} // all
	}
	return methods
}

// cover returns which of the methods the route does not take, nil for none, and whether it takes
// any.
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

// matches reports whether a route matches all requests of another one, regardless of methods,
// server names and TLS.
func (e *Extent) matches(other *Extent, w *effort) bool {
	*w -= effort(1 + min(len(e.not), len(other.not)))
	return !w.exceeded() && e.hasPath(other) && (e.deep || !other.deep) && (len(e.not) == 0 || slices.Equal(e.not, other.not)) &&
		haveValues(e.headers, other.headers, w) && haveValues(e.queries, other.queries, w)
}

// meets reports whether a plain request may match both of two routes. It ignores requests with
// several values for one name, which may match routes for different values.
func (e *Extent) meets(other *Extent, w *effort) bool {
	*w--
	if e.kind == route.Exact && other.kind == route.Exact && e.path != other.path {
		return false
	}
	return intersect(e.methods, other.methods, w) && valuesMeet(e.headers, other.headers, w) && valuesMeet(e.queries, other.queries, w)
}

// valuesMeet reports whether one value for each name may satisfy both.
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

// intersect reports whether two sorted lists have a value in common; an empty list stands for all
// values. It reports true if the effort is exceeded.
func intersect(a, b []string, w *effort) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) == 0 || w.exceeded() || slices.ContainsFunc(a, func(s string) bool { return has(b, s, w) || w.exceeded() })
}

// has looks a value up in a sorted list.
func has(all []string, value string, w *effort) bool {
	if *w--; w.exceeded() {
		return false
	}
	_, found := slices.BinarySearch(all, value)
	return found
}

// hasPath reports whether a route matches all paths of another one of the same slot. A prefix of
// characters with a final slash is within the elements before it.
func (e *Extent) hasPath(other *Extent) bool {
	if e.kind == other.kind {
		return e.path == other.path
	}
	return e.kind == route.Elements && other.kind == route.Characters && len(other.path) == len(e.path)+1 &&
		strings.HasPrefix(other.path, e.path) && strings.HasSuffix(other.path, "/")
}

// haveValues reports whether, for each name, some are within all.
func haveValues(all, some []route.Values, w *effort) bool {
	return slices.EqualFunc(all, some, func(all, some route.Values) bool {
		return all.Name == some.Name && all.Regex == some.Regex && within(some.Values, all.Values, w)
	})
}

// within reports whether values are a subset of a sorted list; an empty list stands for all
// values. It reports false if the effort is exceeded.
func within(some, all []string, w *effort) bool {
	if len(all) == 0 {
		return true
	}
	if len(some) == 0 || len(some) > len(all) {
		return false
	}
	return !slices.ContainsFunc(some, func(s string) bool { return !has(all, s, w) })
}
