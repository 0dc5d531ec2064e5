package routing

import (
	"testing"

	"github.com/kube-sync/kube-sync/translate/route"
)

// The first part in which two priorities differ decides.
func TestDecision(t *testing.T) {
	path := func(kind route.PathKind, value string) route.Path { return route.Path{Kind: kind, Value: value} }
	for _, test := range []struct {
		higher, lower route.Match
		part, why     string
	}{
		{route.Match{Host: "a.example", Path: path(route.Elements, "/")}, route.Match{Path: path(route.Exact, "/a")}, "host", "one host comes before any host"},
		{route.Match{Host: "*.a.example"}, route.Match{Host: "*.example"}, "host", "a wildcard for a domain of 9 characters comes before a wildcard for a domain of 7 characters"},
		{route.Match{Host: "a.*"}, route.Match{Fallback: true}, "host", "a host with an open end after 2 characters comes before a default backend"},
		{route.Match{Port: 20000}, route.Match{Host: "a.example"}, "port", "a port of its own comes before any port"},
		{route.Match{Path: path(route.Exact, "/a")}, route.Match{Path: path(route.Elements, "/a/b")}, "path", "an exact path comes before a path that is not exact"},
		{route.Match{Path: path(route.Elements, "/a/b")}, route.Match{Path: path(route.Elements, "/")}, "path length", "a path of 5 characters comes before a path of 1 character"},
		{route.Match{Methods: []string{"GET"}}, route.Match{Headers: []route.Values{{Name: "a"}}}, "method", "a method comes before any method"},
		{route.Match{Headers: []route.Values{{Name: "a"}, {Name: "b"}}}, route.Match{Headers: []route.Values{{Name: "a"}}}, "headers", "a match of 2 headers comes before a match of 1 header"},
		{route.Match{SNIs: []string{"a"}}, route.Match{}, "server name", "a server name comes before any server name"},
		{route.Match{Path: path(route.Regex, "/a")}, route.Match{Path: path(route.Characters, "/a")}, "pattern", "a pattern for the path comes before a path without a pattern"},
	} {
		part, why := Decision(Priority(test.higher), Priority(test.lower))
		if part != test.part || why != test.why {
			t.Errorf("%+v before %+v: %s: %s", test.higher, test.lower, part, why)
		}
	}
	if part, _ := Decision(5, 4); part != "age" {
		t.Errorf("places are decided by %q", part)
	}
	if part, why := Decision(5, 5); part != "" || why == "" {
		t.Errorf("equal priorities are decided by %q: %s", part, why)
	}
	if part, why := StreamDecision(StreamPriority("a.example"), StreamPriority("*.example")); part != "server name" || why != "one server name comes before a wildcard for a domain of 7 characters" {
		t.Errorf("%s: %s", part, why)
	}
}
