package expression

import (
	"net/netip"
	"testing"
)

// must is for constructors with valid arguments.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	host = Equal(HTTPHost, "a.example")
	path = Or(Equal(HTTPPath, "/foo"), HasPrefix(HTTPPath, "/foo/"))
	get  = Equal(HTTPMethod, "GET")
)

func TestPrint(t *testing.T) {
	tests := []struct {
		name string
		expr Expr
		want string
	}{
		{"host", host, `http.host == "a.example"`},
		{"not equal", NotEqual(HTTPMethod, "GET"), `http.method != "GET"`},
		{"wildcard host", HasSuffix(HTTPHost, ".example"), `http.host =^ ".example"`},
		{"contains", Contains(HTTPPath, "x"), `http.path contains "x"`},
		{"regex", must(Matches(HTTPPath, `^/foo/\d{3}`)), `http.path ~ "^/foo/\\d{3}"`},
		{"header", Equal(must(Header("X-Tenant-1")), "v"), `http.headers.x_tenant_1 == "v"`},
		{"query", Equal(must(Query("User_Id")), ""), `http.queries.User_Id == ""`},
		{"segment", Equal(must(PathSegments(0, 0)), "a"), `http.path.segments.0 == "a"`},
		{"segments", Equal(must(PathSegments(1, 12)), "a/b"), `http.path.segments.1_12 == "a/b"`},
		{"lower", HasPrefix(Lower(HTTPHost), "a"), `lower(http.host) ^= "a"`},
		{"any lower", Equal(Lower(Any(HTTPHost)), "a"), `any(lower(http.host)) == "a"`},
		{"lower twice", Equal(Lower(Lower(HTTPHost)), "a"), `lower(http.host) == "a"`},
		{"port", EqualInt(NetDstPort, 80), `net.dst.port == 80`},
		{"ports", And(GreaterOrEqual(NetSrcPort, 1), LessOrEqual(NetSrcPort, -2)), `(net.src.port >= 1) && (net.src.port <= -2)`},
		{"more ports", And(Greater(NetSrcPort, 1), Less(NetSrcPort, 2), NotEqualInt(HTTPPathSegmentsLen, 3)),
			`(net.src.port > 1) && (net.src.port < 2) && (http.path.segments.len != 3)`},
		{"block", In(NetSrcIP, netip.MustParsePrefix("10.1.2.3/8")), `net.src.ip in 10.0.0.0/8`},
		{"block of IPv6", NotIn(NetDstIP, netip.MustParsePrefix("fd00::1/64")), `net.dst.ip not in fd00::/64`},
		{"address", EqualIP(NetSrcIP, netip.MustParseAddr("1.2.3.4")), `net.src.ip == 1.2.3.4`},
		{"address with zone", NotEqualIP(NetSrcIP, netip.MustParseAddr("fe80::1%eth0")), `net.src.ip != fe80::1`},
		{"embedded address", EqualIP(NetSrcIP, netip.MustParseAddr("::ffff:1.2.3.4")), `net.src.ip == ::ffff:102:304`},
		{"embedded block", In(NetSrcIP, netip.MustParsePrefix("::ffff:1.2.3.4/120")), `net.src.ip in ::ffff:102:300/120`},
		{"escapes", Equal(HTTPPath, "\"\\\n\r\té\x00\"#"), "http.path == \"\\\"\\\\\\n\\r\\té\x00\\\"#\""},
		{"not UTF-8", Equal(HTTPPath, "a\xffb"), "http.path == \"a\uFFFDb\""},

		{"host and path", And(host, path), `(http.host == "a.example") && ((http.path == "/foo") || (http.path ^= "/foo/"))`},
		{"or of ands", Or(And(host, get), path), `((http.host == "a.example") && (http.method == "GET")) || (http.path == "/foo") || (http.path ^= "/foo/")`},
		{"not", And(get, Not(Or(host, path))), `(http.method == "GET") && (!((http.host == "a.example") || (http.path == "/foo") || (http.path ^= "/foo/")))`},

		{"and of one", And(host), `http.host == "a.example"`},
		{"and with nil", And(nil, host, nil), `http.host == "a.example"`},
		{"and of ands", And(And(host, get), And(get)), `(http.host == "a.example") && (http.method == "GET") && (http.method == "GET")`},
		{"or of one", Or(host), `http.host == "a.example"`},
		{"or of none", Or(), `net.protocol == ""`},
		{"not nil", Not(nil), `net.protocol == ""`},
		{"not not", Not(Not(host)), `http.host == "a.example"`},
		{"always", Always(), `net.protocol != ""`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.expr.String(); got != test.want {
				t.Errorf("printed\n%s\nwant\n%s", got, test.want)
			}
			parsed, err := Parse(test.want)
			if err != nil {
				t.Fatal(err)
			}
			if got := parsed.String(); got != test.want {
				t.Errorf("parsed and printed\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestNoConstraint(t *testing.T) {
	if e := And(); e != nil {
		t.Errorf("And() = %v", e)
	}
	if e := And(nil, nil); e != nil {
		t.Errorf("And(nil, nil) = %v", e)
	}
	if e := Or(host, nil); e != nil {
		t.Errorf("Or(host, nil) = %v", e)
	}
}

func TestGroupsKeepNoReference(t *testing.T) {
	terms := []Expr{host, get}
	e := And(terms...)
	terms[0] = get
	if got, want := e.String(), `(http.host == "a.example") && (http.method == "GET")`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFieldString(t *testing.T) {
	for got, want := range map[string]string{
		HTTPPath.String():           "http.path",
		Any(Lower(TLSSNI)).String(): "any(lower(tls.sni))",
		NetDstPort.String():         "net.dst.port",
		NetSrcIP.String():           "net.src.ip",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestUnsayableNames(t *testing.T) {
	for _, name := range []string{"", "a.b", "a b", "a!", "é", "\u212A", "a\"", "a\x00", "a\n", "a[]", "\xff"} {
		if f, err := Header(name); err == nil {
			t.Errorf("Header(%q) = %s", name, f)
		}
		if f, err := Query(name); err == nil {
			t.Errorf("Query(%q) = %s", name, f)
		}
	}
	if f, err := Query("a-b"); err == nil {
		t.Errorf("Query(a-b) = %s", f)
	}
	for _, s := range [][2]int{{-1, 0}, {-1, -1}, {1, 0}} {
		if f, err := PathSegments(s[0], s[1]); err == nil {
			t.Errorf("PathSegments(%d, %d) = %s", s[0], s[1], f)
		}
	}
}
