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
	// methods and snis are nil for all. Server names narrow requests over TLS alone.
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
		methods: m.Methods, snis: m.SNIs, headers: byName(m.Headers), queries: byName(m.Queries)}
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

func byName(values []route.Values) []route.Values {
	if len(values) < 2 {
		return values
	}
	return slices.SortedStableFunc(slices.Values(values), func(a, b route.Values) int { return strings.Compare(a.Name, b.Name) })
}

// lostTo returns the first of the routes before this one, given by their indexes, if they leave
// nothing to it, and -1 otherwise. Served first tells that plain requests are this one's rather
// than for another one to ask for TLS.
func (e *Extent) lostTo(all []*Extent, before []int, servedFirst bool) int {
	var rivals []int
	for _, i := range before {
		if all[i].matches(e) {
			rivals = append(rivals, i)
		}
	}
	if len(rivals) == 0 {
		return -1
	}
	methods := e.methods
	if len(methods) == 0 {
		methods = []string{""} // any
	}
	has := func(taken func(*Extent) bool) bool {
		for _, method := range methods {
			if !slices.ContainsFunc(rivals, func(i int) bool {
				return taken(all[i]) && (len(all[i].methods) == 0 || slices.Contains(all[i].methods, method))
			}) {
				return false
			}
		}
		return true
	}
	if (e.plain || e.redirects) && !has(func(o *Extent) bool { return o.plain || o.redirects && !servedFirst }) {
		return -1
	}
	if e.secure && !has(func(o *Extent) bool { return o.secure && within(e.snis, o.snis) }) {
		return -1
	}
	return rivals[0]
}

// matches reports whether a route is for all requests of another one, but for methods, server
// names, and whether they come over TLS.
func (e *Extent) matches(other *Extent) bool {
	return e.hasPath(other) && (e.deep || !other.deep) && (len(e.not) == 0 || slices.Equal(e.not, other.not)) &&
		haveValues(e.headers, other.headers) && haveValues(e.queries, other.queries)
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
func haveValues(all, some []route.Values) bool {
	return slices.EqualFunc(all, some, func(all, some route.Values) bool {
		return all.Name == some.Name && all.Regex == some.Regex && within(some.Values, all.Values)
	})
}

// within reports whether alternatives are among others, of which none stand for all.
func within(some, all []string) bool {
	if len(all) == 0 {
		return true
	}
	if len(some) == 0 {
		return false
	}
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
