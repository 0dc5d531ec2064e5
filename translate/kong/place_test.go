package kong

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// request is one of those that routes of one slot may match.
type request struct {
	tls         bool
	method, sni string
}

// takes reports whether a route matches a request, and serves whether it does not just ask for
// TLS.
func takes(e *Extent, q request) (takes, serves bool) {
	if len(e.methods) > 0 && !slices.Contains(e.methods, q.method) {
		return false, false
	}
	if q.tls {
		in := e.secure && (len(e.snis) == 0 || slices.Contains(e.snis, q.sni))
		return in, in
	}
	return e.plain || e.redirects, e.plain
}

func requestsOf(methods, snis []string) (all []request) {
	for _, method := range methods {
		all = append(all, request{method: method})
		for _, sni := range snis {
			all = append(all, request{tls: true, method: method, sni: sni})
		}
	}
	return all
}

// TestOldestHasRequest holds for random routes of one slot that each request goes to the oldest
// that matches it, but for plain requests that one for https alone of the same namespace would
// only answer by asking for TLS; and that one is left out only if it would have no request.
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
		for i := range extents {
			of := schemes[r.IntN(len(schemes))]
			extents[i] = extentOf(route.Route{Protocols: of.protocols, Match: route.Match{Scheme: of.scheme, Methods: some(r, methods[:3]), SNIs: some(r, snis[:2])}})
		}
		namespaces := make([]string, len(extents))
		for i := range namespaces {
			namespaces[i] = []string{"a", "b", "c"}[r.IntN(3)]
		}
		namespace := func(i int) string { return namespaces[i] }
		standings := arrange(extents, namespace)
		for n := range extents {
			var a Arrangement
			for i, e := range extents[:n] {
				a.Keep(e, namespaces[i], standings[i])
			}
			if got := a.Add(extents[n], namespaces[n]); got != standings[n] {
				t.Fatalf("seed %d: standing %d is %v after those before, and %v when they are kept", seed, n, standings[n], got)
			}
		}
		for _, q := range requestsOf(methods, snis) {
			if problem := misplaced(extents, standings, namespaces, q); problem != "" {
				t.Fatalf("seed %d: %+v: %s; standings %+v", seed, q, problem, standings)
			}
		}
	}
}

func misplaced(extents []*Extent, standings []Standing, namespaces []string, q request) string {
	oldest, winner := -1, -1
	for i, e := range extents {
		in, _ := takes(e, q)
		if !in {
			continue
		}
		if oldest < 0 {
			oldest = i
		}
		if standings[i].By < 0 && (winner < 0 || standings[i].Place > standings[winner].Place) {
			winner = i
		}
	}
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

// arrange returns the standings of routes, each of the namespace of its index.
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
			older, err := Ranked(of(tt.older), limit.Limits{}.InEffect())
			if err != nil {
				t.Fatal(err)
			}
			younger, err := Ranked(of(tt.younger), limit.Limits{}.InEffect())
			if err != nil {
				t.Fatal(err)
			}
			if older.Slot != younger.Slot {
				t.Fatalf("slots %q and %q", older.Slot, younger.Slot)
			}
			if lost := arrange([]*Extent{older.Extent, younger.Extent}, oneNamespace)[1].By == 0; lost != tt.lost {
				t.Errorf("nothing is left: %v", lost)
			}
		})
	}
}

// TestPlacesRunOut holds that more routes than there are places have the last one, of each sort.
func TestPlacesRunOut(t *testing.T) {
	for _, protocols := range [][]string{{"http"}, {"http", "https"}} {
		extents := make([]*Extent, 1500)
		for i := range extents {
			extents[i] = extentOf(route.Route{Protocols: protocols, Match: route.Match{Headers: []route.Values{{Name: fmt.Sprint("x", i), Values: []string{"1"}}}}})
		}
		standings := arrange(extents, oneNamespace)
		for i := range standings[1:] {
			if standings[i+1].Place > standings[i].Place || standings[i+1].Place == 0 {
				t.Fatalf("place %d after %d", standings[i+1].Place, standings[i].Place)
			}
		}
		if first, last := standings[0].Place, standings[len(standings)-1].Place; first != extents[0].First() || first-last != 1<<(placeBits-1)-1 && first-last != 1<<(placeBits-1)-2 {
			t.Errorf("places from %d to %d", first, last)
		}
	}
}
