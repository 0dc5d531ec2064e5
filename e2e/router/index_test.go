package router

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
)

var requests = flag.Int("requests", 40_000, "number of random requests to compare")

// world is a set of routes, and what requests to it are made of.
type world struct {
	Seed     uint64    `json:"seed"`
	Rounds   int       `json:"rounds"`   // in each, routes come and go
	Requests int       `json:"requests"` // in each round
	Routes   []matcher `json:"routes"`
	Pools    pools     `json:"pools"`
}

// matcher is a route as Kong gives it to its router.
type matcher struct {
	ID       string `json:"id"`
	Priority uint64 `json:"priority"`
	Text     string `json:"text"`
}

// pools are the possible values of requests. Nil is no value.
type pools struct {
	Schemes []string            `json:"schemes"`
	Hosts   []string            `json:"hosts"`
	Paths   []string            `json:"paths"`
	Methods []string            `json:"methods"`
	SNIs    []any               `json:"snis"`
	Ports   []int               `json:"ports"`
	Headers map[string][]string `json:"headers"`
	Queries map[string][]string `json:"queries"`
}

var all = pools{
	Schemes: []string{"http", "https"},
	Hosts: []string{"a.example", "A.Example", "b.example", "x.a.example", "y.x.a.example", "example", "a.example.org", "b.test", "",
		"a.example.", ".example", "a.\u212Aexample", "\u212A.example", "k.example", "É.example", "x.É", "İ.example",
		strings.Repeat("x.", 300) + "example", "a" + longest, "a.x" + longest},
	Paths: []string{"/", "/foo", "/foo/", "/foo/bar", "/foo/bar/baz", "/fo", "/food", "/foo.bar/x", "/foo-bar", "/FOO/bar", "/foo/x1", "/foox",
		"/bar", "/bar/1", "/a%2Fb", "*", "/fo\u00e9/x", "/a/b/c/baz"},
	Methods: []string{"GET", "POST"},
	SNIs:    []any{nil, "a.example", "B.example"},
	Ports:   []int{80, 443, 20000},
	Headers: map[string][]string{"x_one": {"1", "2"}, "x_two": {"a"}},
	Queries: map[string][]string{"q": {"1", "22"}},
}

// longest is the longest end of a host that the index knows.
var longest = "." + strings.Repeat("x", 253)

var (
	hosts = []route.Host{"", "a.example", "b.example", "x.a.example", "*.example", "*.a.example", "a.*", "k.example", "*.test"}
	paths = []route.Path{
		route.AnyPath, {Kind: route.Elements, Value: "/foo"}, {Kind: route.Elements, Value: "/foo/bar"}, {Kind: route.Elements, Value: "/foo/"},
		{Kind: route.Elements, Value: "/bar"}, {Kind: route.Elements, Value: "/foo.bar"}, {Kind: route.Elements, Value: "/foé/x"},
		{Kind: route.Exact, Value: "/foo"}, {Kind: route.Exact, Value: "/foo/bar"}, {Kind: route.Exact, Value: "/"}, {Kind: route.Exact, Value: "/foo/"},
		{Kind: route.Characters, Value: "/fo"}, {Kind: route.Characters, Value: "/foo/b"}, {Kind: route.Characters, Value: "/"},
		{Kind: route.Characters, Value: ""}, {Kind: route.Last, Value: "/baz"},
		{Kind: route.Regex, Value: `/foo/(?<name>[a-z]+)`}, {Kind: route.Regex, Value: `/fo+/bar`}, {Kind: route.Regex, Value: `/foo/?x?`},
		{Kind: route.Regex, Value: `/foo/*`}, {Kind: route.Regex, Value: `/foo/{0,1}x`}, {Kind: route.Regex, Value: `(?i)/foo/(bar)`},
		{Kind: route.Regex, Value: `/foo/bar|/bar`}, {Kind: route.Regex, Value: `^/foo/bar|^/bar/(\d)`}, {Kind: route.Regex, Value: `/foo$`},
		{Kind: route.Regex, Value: `/foo/$`}, {Kind: route.Regex, Value: `/foo/`}, {Kind: route.Regex, Value: `/foo\.bar/(.)`},
		{Kind: route.Regex, Value: `/foo/\w\d`}, {Kind: route.Regex, Value: `/foo-bar`}, {Kind: route.Regex, Value: `/`}, {Kind: route.Regex, Value: `/foo+/`},
	}
	// foreign are expressions that kube-sync does not write, from which nothing may be concluded that is not so.
	foreign = []string{
		`(lower(http.host) == "a.example") || (http.path ^= "/foo/")`,
		`(lower(http.host) == "a.example") || (http.path ^= "/foo/") && (http.path ^= "/bar")`,
		`!(lower(http.host) == "a.example") && (http.path == "/foo")`,
		`(!(http.path == "/foo")) && (http.path ^= "/")`,
		`lower(http.host) == "a.example"`, `http.host == "a.example" && (http.path ^= "/foo/")`,
		`(http.path ~ r#"^/foo|x(") && (lower(http.host) == "b.example") && (")"#) && (http.path ^= "/")`,
		`(http.path ~ r#"^/foo/(bar")?"#)`, `(http.path ~ r#"^/foo/"#) && (lower(http.host) == "b.example")`,
		`((http.path == "/foo") || (http.path ^= "/bar/"))`, `((http.path == "/foo") || (http.method == "GET"))`,
		`((http.path == "/foo") && (http.method == "GET"))`, `(http.path == "/fo\"o)") && (http.path ^= "/")`,
		`(http.path != "/)\\") && (lower(http.host) == "a.example")`, `(http.path != "/") && (lower(http.host) == "b.example")`,
		`((lower(http.host) == "a.example") || (lower(http.host) == "b.example")) && (http.path ^= "/")`,
		`(((http.path == "/foo")))`, `((lower(http.host) == "a.example"))`, `(lower(http.host) =^ "example")`, `(lower(http.host) =^ ".example")`,
		"(lower(http.host) =^ \"" + longest + "\")", "(lower(http.host) =^ \".x" + longest + "\")",
		`(lower(http.host) == "é.example")`, `(lower(http.host) =^ ".é")`, `(lower(http.host) == "i̇.example") && (http.path ^= "/foo/")`,
		`(http.path ~ "^/foo/bar" ) && (http.path ^= "/")`, `(lower(http.path) == "/foo")`, `(http.path ^= "")`,
	}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// sometimes returns a value in one of n cases.
func sometimes[T any](r *rand.Rand, n int, value T) (none T) {
	if r.IntN(n) > 0 {
		return none
	}
	return value
}

func randomMatch(r *rand.Rand) route.Match {
	m := route.Match{
		Host: pick(r, hosts), Path: pick(r, paths), Deep: r.IntN(2) == 0, Scheme: sometimes(r, 4, pick(r, all.Schemes)),
		Methods: sometimes(r, 4, []string{pick(r, all.Methods)}), SNIs: sometimes(r, 6, []string{"a.example", "b.example"}[:1+r.IntN(2)]),
		Port: sometimes(r, 5, pick(r, all.Ports)), NotHosts: sometimes(r, 6, []route.Host{pick(r, hosts[1:6])}),
		Headers:     sometimes(r, 5, []route.Values{{Name: "X-One", Values: []string{"1"}}}),
		Queries:     sometimes(r, 5, []route.Values{{Name: "q", Values: []string{"2+"}, Regex: true}}),
		Connections: sometimes(r, 8, []route.ServerNames{{Host: "a.example"}}),
	}
	if r.IntN(6) == 0 {
		m.Headers = append(m.Headers, route.Values{Name: "x-two", Values: []string{"a", "b"}})
	}
	return m
}

// protocols are what Kong appends to expressions.
var protocols = []string{"", ` && ((net.protocol == "http") || (net.protocol == "https"))`, ` && (net.protocol == "http")`}

func randomMatcher(t *testing.T, r *rand.Rand) matcher {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64())
	m := matcher{ID: id.String(), Priority: uint64(r.IntN(3))}
	if r.IntN(8) == 0 {
		m.Text = pick(r, foreign)
	} else {
		match := randomMatch(r)
		expr, err := routing.Expression(match)
		if err != nil {
			t.Fatalf("%+v: %v", match, err)
		}
		m.Text = `http.path ^= ""`
		if expr != nil {
			m.Text = expr.String()
		}
		if r.IntN(2) == 0 {
			m.Priority = routing.Priority(match)
		}
	}
	m.Text += pick(r, protocols)
	return m
}

func randomWorld(t *testing.T, seed uint64) world {
	r := rand.New(rand.NewPCG(seed, 0))
	w := world{Seed: seed, Rounds: 10, Requests: 50, Pools: all}
	for range 1 + r.IntN(pick(r, []int{10, 100, 400})) {
		w.Routes = append(w.Routes, randomMatcher(t, r))
	}
	return w
}

// TestIndexRoutesAsKong holds that the index finds for every request the route that Kong's router finds, with the
// same captures, while routes come and go.
func TestIndexRoutesAsKong(t *testing.T) {
	kongtest.Need(t)
	lua, err := filepath.Abs("../../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	var input bytes.Buffer
	encoder := json.NewEncoder(&input)
	for seed := range uint64(*requests / 500) {
		if err := encoder.Encode(randomWorld(t, seed)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "resty", "-I", lua, "testdata/compare.lua")
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &input, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var asked, matched int
	if _, err := fmt.Sscan(out.String(), &asked, &matched); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	t.Logf("compared %d requests, of which %d found a route", asked, matched)
	if matched < asked/4 || matched == asked {
		t.Errorf("%d of %d requests found a route, so the routes and requests show little", matched, asked)
	}
}
