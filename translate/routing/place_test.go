package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/translate/route"
)

// request is a request that routes of one slot may match.
type request struct {
	tls         bool
	method, sni string
	// a and b are the values of two headers, or empty.
	a, b string
}

// takes returns whether a route matches a request, and whether it serves it rather than
// redirecting to TLS.
func takes(e *Extent, q request) (takes, serves bool) {
	if len(e.methods) > 0 && !slices.Contains(e.methods, q.method) {
		return false, false
	}
	for _, h := range e.headers {
		if value := map[string]string{"x-a": q.a, "x-b": q.b}[h.Name]; !slices.Contains(h.Values, value) {
			return false, false
		}
	}
	if q.tls {
		in := e.secure && (len(e.snis) == 0 || slices.Contains(e.snis, q.sni))
		return in, in
	}
	return e.plain || e.redirects, e.plain
}

func requestsOf(methods, snis []string) (all []request) {
	for _, method := range methods {
		for _, a := range []string{"", "1", "2", "other"} {
			for _, b := range []string{"", "1"} {
				all = append(all, request{method: method, a: a, b: b})
				for _, sni := range snis {
					all = append(all, request{tls: true, method: method, sni: sni, a: a, b: b})
				}
			}
		}
	}
	return all
}

// TestOldestHasRequest holds for random routes of one slot that each request goes to the oldest
// route that matches it. The exception are plain requests that an older route for https only, of
// the same namespace, would redirect: a route for plain requests serves these if it shares none
// with other older routes. A route is left out only if it would get no request, in favor of one
// that takes some.
func TestOldestHasRequest(t *testing.T) {
	methods, snis := []string{"GET", "POST", "PUT", "OTHER"}, []string{"a", "b", "other"}
	schemes := []struct {
		protocols []string
		scheme    string
	}{{[]string{"http"}, ""}, {[]string{"http", "https"}, ""}, {[]string{"https"}, ""}, {[]string{"https"}, "https"}, {[]string{"https"}, "http"}}
	some := func(r *rand.Rand, of []string) (chosen []string) {
		for _, value := range of {
			if r.IntN(2) == 0 {
				chosen = append(chosen, value)
			}
		}
		return chosen
	}
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		extents := make([]*Extent, 1+r.IntN(6))
		narrow := r.IntN(2) == 0
		for i := range extents {
			of := schemes[r.IntN(len(schemes))]
			m := route.Match{Scheme: of.scheme, Methods: some(r, methods[:3]), SNIs: some(r, snis[:2])}
			if narrow {
				m.Headers = []route.Values{choose(r, route.Values{Name: "x-a", Values: []string{"1"}}, route.Values{Name: "x-a", Values: []string{"2"}},
					route.Values{Name: "x-a", Values: []string{"2", "1"}}, route.Values{Name: "x-b", Values: []string{"1"}})}
			}
			extents[i] = ExtentOf(route.Route{Protocols: of.protocols, Match: m})
		}
		namespaces := make([]string, len(extents))
		for i := range namespaces {
			namespaces[i] = []string{"a", "b", "c"}[r.IntN(3)]
		}
		namespace := func(i int) string { return namespaces[i] }
		standings := arrange(extents, namespace)
		all := requestsOf(methods, snis)
		var a Arrangement
		for i, e := range extents {
			a.Add(e, namespaces[i])
		}
		for n := len(extents) - 1; n >= 0; n -= 1 + r.IntN(3) {
			a.Truncate(n)
			for i, e := range extents[n:] {
				if got := a.Add(e, namespaces[n+i]); got != standings[n+i] {
					t.Fatalf("seed %d: standing %d is %v, and %v when those from %d on are added again", seed, n+i, standings[n+i], got, n)
				}
			}
		}
		for i, standing := range standings {
			if by := standing.By; by >= 0 && !slices.ContainsFunc(all, func(q request) bool { return in(extents[i], q) && in(extents[by], q) }) {
				t.Fatalf("seed %d: route %d is left out for %d, which shares no request with it; standings %+v", seed, i, by, standings)
			}
		}
		for _, q := range all {
			problem := misplaced(extents, standings, namespaces, q)
			if problem == "" {
				problem = unserved(extents, standings, namespaces, q, all)
			}
			if problem != "" {
				t.Fatalf("seed %d: %+v: %s; standings %+v", seed, q, problem, standings)
			}
		}
	}
}

func in(e *Extent, q request) bool {
	in, _ := takes(e, q)
	return in
}

// winners returns the oldest route that matches a request, and the one that gets it.
func winners(extents []*Extent, standings []Standing, q request) (oldest, winner int) {
	oldest, winner = -1, -1
	for i, e := range extents {
		if !in(e, q) {
			continue
		}
		if oldest < 0 {
			oldest = i
		}
		if standings[i].By < 0 && (winner < 0 || standings[i].Place > standings[winner].Place) {
			winner = i
		}
	}
	return oldest, winner
}

// unserved reports a plain request that is redirected to TLS, although a route for plain requests
// only matches it and shares requests only with older redirecting routes of its namespace.
func unserved(extents []*Extent, standings []Standing, namespaces []string, q request, all []request) string {
	_, winner := winners(extents, standings, q)
	if winner < 0 || q.tls || !extents[winner].redirects {
		return ""
	}
	for i, e := range extents {
		if !e.plain || e.secure || !in(e, q) {
			continue
		}
		free := true
		for older, o := range extents[:i] {
			free = free && (o.redirects && namespaces[older] == namespaces[i] || !slices.ContainsFunc(all, func(q request) bool {
				return !q.tls && in(e, q) && in(o, q)
			}))
		}
		if free {
			return fmt.Sprintf("route %d asks for TLS, although %d would serve it", winner, i)
		}
	}
	return ""
}

func misplaced(extents []*Extent, standings []Standing, namespaces []string, q request) string {
	oldest, winner := winners(extents, standings, q)
	if oldest == winner {
		return ""
	}
	if winner < 0 {
		return fmt.Sprintf("route %d would have it, and none does", oldest)
	}
	_, oldestServes := takes(extents[oldest], q)
	if _, serves := takes(extents[winner], q); !oldestServes && serves && !extents[winner].secure && namespaces[oldest] == namespaces[winner] {
		return ""
	}
	return fmt.Sprintf("route %d has it, which is not the oldest, %d", winner, oldest)
}

// arrange returns the standings of routes, with the namespace of each index.
func arrange(extents []*Extent, namespace func(int) string) (standings []Standing) {
	var a Arrangement
	for i, e := range extents {
		standings = append(standings, a.Add(e, namespace(i)))
	}
	return standings
}

func oneNamespace(int) string { return "" }

func TestExtents(t *testing.T) {
	both := []string{"http", "https"}
	of := func(change func(*route.Route)) route.Route {
		r := route.Route{Protocols: both, Match: route.Match{Host: "a.example", Path: route.Path{Kind: route.Elements, Value: "/a"}}}
		change(&r)
		return r
	}
	header := func(values ...string) func(*route.Route) {
		return func(r *route.Route) { r.Match.Headers = []route.Values{{Name: "x", Values: values}} }
	}
	path := func(kind route.PathKind, value string) func(*route.Route) {
		return func(r *route.Route) { r.Match.Path = route.Path{Kind: kind, Value: value} }
	}
	tests := map[string]struct {
		older, younger func(*route.Route)
		lost           bool
	}{
		"the same":                        {header("1"), header("1"), true},
		"fewer values":                    {header("1", "2"), header("2"), true},
		"more values":                     {header("1"), header("1", "2"), false},
		"a longer spelling":               {path(route.Elements, "/a/"), path(route.Elements, "//a"), true},
		"characters within elements":      {path(route.Elements, "/a"), path(route.Characters, "/a/"), true},
		"elements beyond characters":      {path(route.Characters, "/a/"), path(route.Elements, "/a"), false},
		"all of one wildcard":             {func(r *route.Route) { r.Match.Host, r.Match.Deep = "*.a", true }, func(r *route.Route) { r.Match.Host = "*.a" }, true},
		"more labels of one wildcard":     {func(r *route.Route) { r.Match.Host = "*.a" }, func(r *route.Route) { r.Match.Host, r.Match.Deep = "*.a", true }, false},
		"hosts left out of the older one": {func(r *route.Route) { r.Match.NotHosts = []route.Host{"b"} }, func(*route.Route) {}, false},
		"hosts left out of the younger":   {func(*route.Route) {}, func(r *route.Route) { r.Match.NotHosts = []route.Host{"b"} }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			older, younger := of(tt.older), of(tt.younger)
			if a, b := RankOf(older.Match), RankOf(younger.Match); a != b {
				t.Fatalf("ranks %+v and %+v", a, b)
			}
			if lost := arrange([]*Extent{ExtentOf(older), ExtentOf(younger)}, oneNamespace)[1].By == 0; lost != tt.lost {
				t.Errorf("nothing is left: %v", lost)
			}
		})
	}
}

// TestPlacesRunOut holds that routes without a place share the last one of their range, and that
// one namespace takes at most half of the places.
func TestPlacesRunOut(t *testing.T) {
	for _, protocols := range [][]string{{"http"}, {"http", "https"}} {
		var a Arrangement
		add := func(i int, namespace string) Standing {
			return a.Add(ExtentOf(route.Route{Protocols: protocols, Match: route.Match{Headers: []route.Values{{Name: fmt.Sprint("x", i), Values: []string{"1"}}}}}), namespace)
		}
		last, ordered := Place(1<<placeBits), 0
		for i := range 1500 {
			switch place := add(i, "many").Place; {
			case place == 0 || place > last:
				t.Fatalf("%v: place %d after %d", protocols, place, last)
			case place < last && !place.Shared():
				last = place
				ordered++
			}
		}
		if ordered < 511 || ordered > 512 {
			t.Errorf("%v: one namespace has %d places", protocols, ordered)
		}
		for i := range 200 {
			place := add(1500+i, "other").Place
			if place >= last || place.Shared() {
				t.Fatalf("%v: route %d of another namespace has the place %d after %d", protocols, i, place, last)
			}
			last = place
		}
	}
}

// TestUnrelatedRoutesHaveNoEffect holds that a route for plain requests precedes one of its
// namespace that redirects to TLS, whatever routes exist for other requests.
func TestUnrelatedRoutesHaveNoEffect(t *testing.T) {
	of := func(protocol, method, header, value string) *Extent {
		r := route.Route{Protocols: []string{protocol}}
		if protocol == "both" {
			r.Protocols = []string{"http", "https"}
		}
		if method != "" {
			r.Match.Methods = []string{method}
		}
		if header != "" {
			r.Match.Headers = []route.Values{{Name: header, Values: []string{value}}}
		}
		return ExtentOf(r)
	}
	tests := map[string]struct {
		extents    []*Extent
		namespaces []string
	}{
		"another method, both":      {[]*Extent{of("both", "TRACE", "", ""), of("https", "GET", "", ""), of("http", "GET", "", "")}, []string{"other", "shop", "shop"}},
		"another method, https":     {[]*Extent{of("https", "TRACE", "", ""), of("https", "GET", "", ""), of("http", "GET", "", "")}, []string{"other", "shop", "shop"}},
		"another value":             {[]*Extent{of("both", "", "x-a", "2"), of("https", "", "x-a", "1"), of("http", "", "x-a", "1")}, []string{"other", "shop", "shop"}},
		"between, another header":   {[]*Extent{of("https", "", "x-a", "1"), of("both", "", "x-b", "1"), of("http", "", "x-a", "1")}, []string{"shop", "shop", "shop"}},
		"between, all its requests": {[]*Extent{of("https", "", "x-a", "1"), of("both", "", "x-b", "1"), of("http", "", "x-a", "1")}, []string{"shop", "other", "shop"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			standings := arrange(tt.extents, func(i int) string { return tt.namespaces[i] })
			asks := slices.IndexFunc(tt.extents, func(e *Extent) bool { return e.redirects && (len(e.methods) == 0 || e.methods[0] == "GET") })
			if standings[2].By >= 0 || standings[2].Place <= standings[asks].Place {
				t.Errorf("standings %+v", standings)
			}
		})
	}
}

// TestLongListsAreComparedWithinLimits holds that the cost of each route of a slot is bounded,
// and that a route is kept if the bound does not suffice.
func TestLongListsAreComparedWithinLimits(t *testing.T) {
	list := func(n int, last string) (all []string) {
		for i := range n - 1 {
			all = append(all, fmt.Sprintf("A%04d", i))
		}
		return append(all, last)
	}
	var a Arrangement
	for i := range 300 {
		e := ExtentOf(route.Route{Protocols: []string{"https"}, Match: route.Match{
			Methods: list(400, "Z"), SNIs: list(400, fmt.Sprint("Z", i)), Headers: []route.Values{{Name: "x", Values: list(400, "Z")}}}})
		left := effort(mostWork)
		for _, o := range a.routes {
			_ = o.matches(e, &left) && within(e.snis, o.snis, &left)
			intersect(e.methods, o.methods, &left)
		}
		if i > 50 && left < effort(-2*i) || i > 50 && !left.exceeded() {
			t.Fatalf("route %d: the effort left is %d", i, left)
		}
		if standing := a.Add(e, "attacker"); standing.By >= 0 {
			t.Fatalf("route %d is left out for %d", i, standing.By)
		}
	}
	// A route with short lists is compared with all of them.
	var short Arrangement
	for range mostRivals - 1 {
		short.Add(ExtentOf(route.Route{Protocols: []string{"https"}, Match: route.Match{Methods: list(400, "Z")}}), "attacker")
	}
	short.Add(ExtentOf(route.Route{Protocols: []string{"https"}, Match: route.Match{Methods: []string{"GET"}}}), "shop")
	if got := short.Add(ExtentOf(route.Route{Protocols: []string{"https"}, Match: route.Match{Methods: []string{"GET"}}}), "shop"); got.By != mostRivals-1 {
		t.Errorf("a route with short lists is left out for %d", got.By)
	}
}

func BenchmarkLongLists(b *testing.B) {
	var extents []*Extent
	for i := range 250 {
		var methods, snis []string
		for j := range 450 {
			methods = append(methods, fmt.Sprint("METHOD", j))
			snis = append(snis, fmt.Sprint("s", j, ".example"))
		}
		methods[449] = fmt.Sprint("OTHER", i)
		extents = append(extents, ExtentOf(route.Route{Protocols: []string{"https"}, Match: route.Match{Methods: methods, SNIs: snis}}))
	}
	for b.Loop() {
		arrange(extents, oneNamespace)
	}
}

func choose[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }
