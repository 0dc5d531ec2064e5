package kong

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Extent is which requests a route is for, so that routes of one slot can be compared.
type Extent struct {
	// match is all that has to be equal: host, port, headers' names, query parameters.
	match string
	// path and within are the path, and a wider one of the slot; empty if there is none.
	path, within string
	// deep tells that a wildcard stands for any number of labels, not are hosts left out.
	deep bool
	not  string
	// methods and snis are nil for all. Server names narrow requests over TLS alone.
	methods, snis []string
	headers       []route.Values
	// plain and secure tell that the route serves requests without or over TLS; redirects
	// that it answers those without by asking for TLS.
	plain, secure, redirects bool
}

func extentOf(r route.Route) *Extent {
	m := r.Match
	e := &Extent{deep: m.Deep || !m.Host.Wildcard(), not: fmt.Sprint(m.NotHosts), methods: m.Methods, snis: m.SNIs}
	e.headers = slices.SortedStableFunc(slices.Values(m.Headers), func(a, b route.Values) int { return strings.Compare(a.Name, b.Name) })
	names := make([]string, len(e.headers))
	for i, h := range e.headers {
		names[i] = h.Name
	}
	e.match = fmt.Sprintf("%q %d %t %q %v", m.Host, m.Port, m.Fallback, names, m.Queries)
	value := m.Path.Value
	if m.Path.Kind != route.Regex {
		value = normalized(value)
	}
	switch elements := strings.TrimRight(value, "/"); m.Path.Kind {
	case route.Elements:
		e.path = elementsPath(elements)
	case route.Characters:
		if e.path = fmt.Sprintf("characters %s", value); strings.HasSuffix(value, "/") {
			e.within = elementsPath(elements)
		}
	default:
		e.path = fmt.Sprintf("%d %s", m.Path.Kind, value)
	}
	for _, protocol := range r.Protocols {
		e.plain = e.plain || protocol == "http" || protocol == "grpc"
		e.secure = e.secure || protocol == "https" || protocol == "grpcs"
	}
	e.redirects = !e.plain && m.Scheme != "https"
	e.plain, e.secure = e.plain && m.Scheme != "https", e.secure && m.Scheme != "http"
	return e
}

func elementsPath(elements string) string { return "elements " + elements }

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
	if e.match != other.match || e.path != other.path && e.path != other.within || other.deep && !e.deep || e.not != other.not && e.not != noHosts {
		return false
	}
	for i, h := range e.headers {
		if o := other.headers[i]; h.Regex != o.Regex || !within(o.Values, h.Values) {
			return false
		}
	}
	return true
}

var noHosts = fmt.Sprint([]route.Host(nil))

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
