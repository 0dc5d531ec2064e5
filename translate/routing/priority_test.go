package routing

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate/route"
)

// ranked are matches in the order of precedence.
var ranked = []route.Match{
	{Host: "*.example.com", Connections: []route.ServerNames{{Host: "*.example.com"}}, Foremost: true},
	{Host: "a.example.com", Connections: []route.ServerNames{{Host: "a.example.com"}}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Exact, Value: "/foo/bar"}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Exact, Value: "/foo"}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Elements, Value: "/foo/bar"}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Regex, Value: `/fo+\d`}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Elements, Value: "/foo"}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Characters, Value: "/foo"}},
	{Host: "a.example.com", Path: route.Path{Kind: route.Elements, Value: "/"}},
	{Host: "*.example.com", Connections: []route.ServerNames{{Host: "*.example.com"}}},
	{Host: "*.example.com", Path: route.Path{Kind: route.Exact, Value: "/foo"}},
	{Host: "*.example.com", Path: route.Path{Kind: route.Elements, Value: "/"}},
	{Host: "*.com", Path: route.Path{Kind: route.Exact, Value: "/foo/bar"}},
	{Host: "example.com.*", Path: route.Path{Kind: route.Elements, Value: "/"}},
	{Host: "example.*", Path: route.Path{Kind: route.Exact, Value: "/foo/bar"}},
	{Path: route.Path{Kind: route.Exact, Value: "/" + strings.Repeat("x", 5000)}},
	{Path: route.Path{Kind: route.Elements, Value: "/" + strings.Repeat("x", 5000)}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}, Methods: []string{"GET"}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}, Headers: []route.Values{{Name: "a"}, {Name: "b"}}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}, Headers: []route.Values{{Name: "a"}}, Queries: []route.Values{{Name: "a"}}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}, Headers: []route.Values{{Name: "a"}}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}, Queries: []route.Values{{Name: "a"}}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}, SNIs: []string{"a"}},
	{Path: route.Path{Kind: route.Elements, Value: "/"}},
	{Path: route.Path{Kind: route.Characters, Value: ""}},
	{Fallback: true, Methods: []string{"GET"}},
	{Fallback: true, Headers: []route.Values{{Name: "a"}, {Name: "b"}}},
	{Fallback: true, Headers: []route.Values{{Name: "a"}}},
	{Fallback: true, SNIs: []string{"a"}},
	{Fallback: true},
	{Untaken: true, Headers: []route.Values{{Name: "a"}}},
}

func TestPriority(t *testing.T) {
	const bits = 46 // Kong's
	shuffled := slices.Clone(ranked)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	slices.SortFunc(shuffled, func(a, b route.Match) int { return cmp.Compare(Priority(b), Priority(a)) })
	for i, m := range shuffled {
		if !reflect.DeepEqual(m, ranked[i]) {
			t.Errorf("rank %d is %+v, want %+v", i, m, ranked[i])
		}
		if p := Priority(m); p >= 1<<bits || p&uint64(firstPlain) != 0 {
			t.Errorf("priority %d of %+v exceeds %d bits, or includes a place", p, m, bits)
		}
	}
}

// TestPriorityIgnoresTheSpelling holds that equivalent spellings of a path have one priority.
func TestPriorityIgnoresTheSpelling(t *testing.T) {
	for short, long := range map[string]string{"/%61%61": "/aa/b", "/a///////": "/a/b", "/b/%2e/%2e%2E/b": "/b/c"} {
		for _, kind := range []route.PathKind{route.Elements, route.Exact, route.Characters} {
			if s, l := Priority(route.Match{Path: route.Path{Kind: kind, Value: short}}), Priority(route.Match{Path: route.Path{Kind: kind, Value: long}}); s >= l {
				t.Errorf("kind %d: %s comes before %s", kind, short, long)
			}
		}
	}
}

func TestNormalized(t *testing.T) {
	for in, want := range map[string]string{ // as seen on Kong 3.9.3
		"":                "/",
		"/":               "/",
		"foo":             "/foo",
		"//a///b//":       "/a/b/",
		"/foo%20bar":      "/foo bar",
		"/%7Euser":        "/~user",
		"/x%2fy":          "/x%2Fy",
		"/50%25":          "/50%25",
		"/p+q":            "/p+q",
		"/%c3%bc":         "/ü",
		"/ü":              "/ü",
		"/%zz":            "/%zz",
		"/cut%4":          "/cut%4",
		"/%5bset%5D/%2e/": "/%5Bset%5D/",
		"/a/%2e%2E/../b":  "/b",
		"/a/b/..":         "/a/",
		"/a/.":            "/a/",
		"/a/.b/..c":       "/a/.b/..c",
	} {
		if got := Normalized(in); got != want {
			t.Errorf("Normalized(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRegularExpressionsAreAnchored(t *testing.T) {
	for in, want := range map[string]string{`/a`: `^/a`, `^/a`: `^/a`, `/a|/b`: `^(?:/a|/b)`} {
		if got := anchored(in); got != want {
			t.Errorf("anchored(%q) = %q, want %q", in, got, want)
		}
	}
}
