package expression

import (
	"maps"
	"net/netip"
	"sync"
	"testing"
)

var sample = Request{
	Protocol: "https",
	Method:   "GET",
	Host:     "Shop.Example",
	Path:     "/a/b//c/",
	SNI:      "shop.example",
	Headers:  map[string][]string{"x-one": {"Foo"}, "x-two": {"fob", "foo"}, "x_raw": {"raw"}, "x-raw": {"dashed"}, "x-empty": {}},
	Queries:  map[string][]string{"q": {""}, "many": {"2", "1"}},
	SrcIP:    netip.MustParseAddr("10.1.2.3"),
	DstIP:    netip.MustParseAddr("::ffff:10.1.2.3"),
	SrcPort:  40000,
	DstPort:  443,
}

func TestEval(t *testing.T) {
	tests := []struct {
		src  string
		want bool
	}{
		{`http.method == "GET"`, true},
		{`http.method == "get"`, false},
		{`http.method != "POST"`, true},
		{`http.host == "shop.example"`, false},
		{`lower(http.host) == "shop.example"`, true},
		{`lower(http.host) == "Shop.Example"`, false},
		{`net.protocol == "https"`, true},
		{`tls.sni =^ ".example"`, true},
		{`tls.sni =^ ".Example"`, false},
		{`http.path ^= "/a/"`, true},
		{`http.path ^= "/A/"`, false},
		{`http.path contains "//"`, true},
		{`http.path contains "d"`, false},
		{`http.path ~ "b"`, true},
		{`http.path ~ "^b"`, false},
		{`lower(http.host) ~ "^shop"`, true},

		{`net.dst.port == 443`, true},
		{`net.dst.port != 443`, false},
		{`net.dst.port > 442 && net.dst.port >= 443 && net.dst.port < 444 && net.dst.port <= 443`, true},
		{`net.dst.port > 443 || net.dst.port < 443`, false},
		{`net.src.port == 40000`, true},

		{`net.src.ip == 10.1.2.3`, true},
		{`net.src.ip != 10.1.2.4`, true},
		{`net.src.ip in 10.0.0.0/8`, true},
		{`net.src.ip in 10.1.2.3/32`, true},
		{`net.src.ip not in 10.0.0.0/8`, false},
		{`net.src.ip in ::/0`, false},
		{`net.src.ip not in ::/0`, true},
		{`net.dst.ip == 10.1.2.3`, false},
		{`net.dst.ip == ::ffff:a01:203`, true},
		{`net.dst.ip in ::ffff:0:0/96`, true},
		{`net.dst.ip in 0.0.0.0/0`, false},

		{`http.path.segments.0 == "a"`, true},
		{`http.path.segments.2 == ""`, true},
		{`http.path.segments.3 == "c"`, true},
		{`http.path.segments.4 != "x"`, false},
		{`http.path.segments.0_1 == "a/b"`, true},
		{`http.path.segments.1_3 == "b//c"`, true},
		{`http.path.segments.1_4 != "x"`, false},
		{`http.path.segments.len == 4`, true},

		{`http.headers.x_one == "Foo"`, true},
		{`http.headers.X_One == "Foo"`, true},
		{`http.headers.x_raw == "raw"`, true},
		{`http.headers.x_two == "foo"`, false},
		{`any(http.headers.x_two) == "foo"`, true},
		{`http.headers.x_two ^= "fo"`, true},
		{`http.headers.x_two != "foo"`, false},
		{`http.headers.x_two != "bar"`, true},
		{`any(http.headers.x_two) != "foo"`, true},
		{`any(http.headers.x_two) ~ "^foo$"`, true},
		{`any(http.headers.x_two) == "bar"`, false},
		{`any(lower(http.headers.x_one)) == "foo"`, true},
		{`http.queries.q == ""`, true},
		{`http.queries.many ~ "^[12]$"`, true},
		{`http.queries.Q == ""`, false},

		{`http.headers.x_none == "a"`, false},
		{`http.headers.x_none != "a"`, false},
		{`http.headers.x_empty != "a"`, false},
		{`any(http.headers.x_none) != "a"`, false},
		{`!(http.headers.x_none == "a")`, true},

		{`http.method == "GET" || http.method == "PUT" && http.host == "other"`, false}, // were && tighter, true
		{`http.host == "other" && http.method == "PUT" || http.method == "GET"`, false},
		{`!(http.method == "GET" && http.host == "other")`, true},
	}
	for _, test := range tests {
		t.Run(test.src, func(t *testing.T) {
			p, err := Compile(must(Parse(test.src)))
			if err != nil {
				t.Fatal(err)
			}
			if _, got := p.Eval(&sample); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestEvalMissing holds that predicates over fields that a request lacks are false.
func TestEvalMissing(t *testing.T) {
	for _, src := range []string{
		`http.method != "x"`, `http.host != "x"`, `http.path != "x"`, `tls.sni != "x"`,
		`http.headers.a != "x"`, `http.queries.a != "x"`, `http.path.segments.0 != "x"`,
		`http.path.segments.len != 7`, `net.src.port != 7`, `net.dst.port < 7`,
		`net.src.ip not in 10.0.0.0/8`, `net.dst.ip != 1.2.3.4`,
	} {
		if _, ok := Eval(must(Parse(src)), &Request{}); ok {
			t.Errorf("%s is true for a request without the field", src)
		}
	}
	if _, ok := Eval(Always(), &Request{}); !ok {
		t.Error("Always is false")
	}
	if _, ok := Eval(Never(), &Request{}); ok {
		t.Error("Never is true")
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		name, src string
		path      string
		captures  map[string]string
	}{
		{"none", `http.method == "GET"`, "", nil},
		{"equal", `http.path == "/a/b//c/"`, "/a/b//c/", nil},
		{"not equal", `http.path != "/"`, "", nil},
		{"prefix", `http.path ^= "/a"`, "/a", nil},
		{"prefix in lower case", `lower(http.path) ^= "/a/b"`, "/a/b", nil},
		{"suffix", `http.path =^ "c/"`, "c/", nil},
		{"contains", `http.path contains "a"`, "", nil},
		{"regex", `http.path ~ "^/(a)/(x)?(?<n>b)"`, "/a/b", map[string]string{"0": "/a/b", "1": "a", "3": "b", "n": "b"}},
		{"regex of a host", `http.host ~ "S(.)"`, "", map[string]string{"0": "Sh", "1": "h"}},
		{"last wins", `http.path ^= "/a" && http.path ^= "/"`, "/", nil},
		{"first alternative", `http.path ^= "/a" || http.path ^= "/"`, "/a", nil},
		{"what failed around it counts", `(http.path ^= "/a/b" && http.method == "PUT") || http.method == "GET"`, "/a/b", nil},
		{"what is negated counts", `!(http.path ^= "/a" && http.method == "PUT")`, "/a", nil},
		{"captures add up", `http.path ~ "(b)(/)" && http.host ~ "S(.)"`, "b/", map[string]string{"0": "Sh", "1": "h", "2": "/"}},
		{"values in order", `http.queries.many ~ "(.)"`, "", map[string]string{"0": "2", "1": "2"}},
		{"any stops", `any(http.queries.many) ~ "(.)"`, "", map[string]string{"0": "1", "1": "1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, ok := Eval(must(Parse(test.src)), &sample)
			if !ok || m.Path != test.path || !maps.Equal(m.Captures, test.captures) {
				t.Errorf("got %v %+v, want path %q, captures %v", ok, m, test.path, test.captures)
			}
		})
	}
	if m, ok := Eval(must(Parse(`http.path ^= "/a" && http.method == "PUT"`)), &sample); ok || m.Path != "" {
		t.Errorf("no match: %v %+v", ok, m)
	}
}

func TestSegments(t *testing.T) {
	for path, want := range map[string]int{"": 0, "/": 0, "//": 0, "/a": 1, "/a/": 1, "/a//": 1, "//a": 2, "/a/b": 2} {
		if got := segmentCount(path); got != want {
			t.Errorf("%q has %d segments, want %d", path, got, want)
		}
	}
}

func TestSplitHost(t *testing.T) {
	tests := []struct {
		header, host string
		port         int
	}{
		{"", "", 0}, {"a", "a", 0}, {"a:80", "a", 80}, {"a:", "a:", 0}, {"a:x", "a:x", 0},
		{"[::1]:80", "[::1]:80", 0}, {"a:99999999999999999999", "a:99999999999999999999", 0},
	}
	for _, test := range tests {
		if host, port := SplitHost(test.header); host != test.host || port != test.port {
			t.Errorf("%q: %q %d", test.header, host, port)
		}
	}
}

func TestLowerKeepsLettersApart(t *testing.T) {
	r := &Request{Host: "İ.example"}
	if _, ok := Eval(Equal(Lower(HTTPHost), "i.example"), r); ok {
		t.Error("İ became i")
	}
	if _, ok := Eval(Equal(Lower(HTTPHost), "i\u0307.example"), r); !ok {
		t.Error("İ did not become i and a dot above")
	}
}

func TestProgramIsConcurrent(t *testing.T) {
	p := must(Compile(must(Parse(`any(http.queries.many) == "1" && http.path ~ "(a)"`))))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if _, ok := p.Eval(&sample); !ok {
					t.Error("no match")
				}
			}
		})
	}
	all.Wait()
}
