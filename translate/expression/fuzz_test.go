package expression

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// grower builds expressions from bytes, deterministically. After the last byte it reads zeros, so
// that every input ends.
type grower []byte

func (g *grower) next(n int) int {
	if len(*g) == 0 {
		return 0
	}
	b := (*g)[0]
	*g = (*g)[1:]
	return int(b) % n
}

func (g *grower) text() string {
	n := min(g.next(12), len(*g))
	s := string((*g)[:n])
	*g = (*g)[n:]
	return strings.ToValidUTF8(s, "?")
}

func (g *grower) number() int64 {
	n := int64(g.next(256) - 128)
	for range g.next(8) {
		n = n<<8 | int64(g.next(256))
	}
	return max(n, math.MinInt64+1)
}

func (g *grower) addr() netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = byte(g.next(256))
	}
	switch g.next(3) {
	case 0:
		return netip.AddrFrom4([4]byte(b[:4]))
	case 1:
		return netip.AddrFrom16(netip.AddrFrom4([4]byte(b[:4])).As16())
	}
	return netip.AddrFrom16(b)
}

func (g *grower) field() Field {
	fields := []Field{
		HTTPHost, HTTPPath, HTTPMethod, NetProtocol, TLSSNI,
		must(Header("X-A")), must(Query("q_1")), must(PathSegments(0, 0)), must(PathSegments(0, 2)),
	}
	f := fields[g.next(len(fields))]
	switch g.next(5) {
	case 1:
		return Lower(f)
	case 2:
		return Any(f)
	case 3:
		return Any(Lower(f))
	}
	return f
}

func (g *grower) expr(depth int) Expr {
	kind := g.next(7)
	if depth == 0 {
		kind %= 4
	}
	switch kind {
	case 0, 1:
		ops := []func(Field, string) Expr{Equal, NotEqual, HasPrefix, HasSuffix, Contains, g.matches}
		return ops[g.next(len(ops))](g.field(), g.text())
	case 2:
		ops := []func(IntField, int64) Expr{EqualInt, NotEqualInt, Greater, GreaterOrEqual, Less, LessOrEqual}
		fields := []IntField{NetSrcPort, NetDstPort, HTTPPathSegmentsLen}
		return ops[g.next(len(ops))](fields[g.next(len(fields))], g.number())
	case 3:
		return g.ip([]IPField{NetSrcIP, NetDstIP}[g.next(2)], g.addr())
	case 4:
		return Not(g.expr(depth - 1))
	}
	terms := make([]Expr, g.next(5))
	for i := range terms {
		terms[i] = g.expr(depth - 1)
	}
	if kind == 5 {
		return And(terms...)
	}
	return Or(terms...)
}

func (g *grower) matches(f Field, regex string) Expr {
	e, err := Matches(f, regex)
	if err != nil {
		return must(Matches(f, regexp.QuoteMeta(strings.ReplaceAll(regex, "\x00", ""))))
	}
	return e
}

func (g *grower) ip(f IPField, a netip.Addr) Expr {
	block := netip.PrefixFrom(a, g.next(a.BitLen()+1))
	switch g.next(4) {
	case 0:
		return EqualIP(f, a)
	case 1:
		return NotEqualIP(f, a)
	case 2:
		return In(f, block)
	}
	return NotIn(f, block)
}

// FuzzBuild holds that printing and parsing a tree results in the same tree.
func FuzzBuild(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x05\x03\x00\x00\x00\x00\x03abc\x06\x02\x01\x02\x00\x01\x05/\"#\\\n"))
	f.Add([]byte("\x04\x06\x03\x02\x00\x01\xff\x02\x01\x02\x03\x01\x7f\x00\x00\x01\x00\x08\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g := grower(data)
		e := g.expr(4)
		if e == nil {
			return
		}
		src := e.String()
		parsed, err := Parse(src)
		if err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		if !reflect.DeepEqual(parsed, e) || parsed.String() != src {
			t.Fatalf("%q became %q", src, parsed)
		}
		if p, err := Compile(e); err == nil {
			p.Eval(&sample)
		}
	})
}

// FuzzLiteral holds that text never escapes from its literal, in any position.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{
		"", "a.example", `"`, `\`, `\"`, `"#`, `r#"`, `" || http.path ^= "/`, `") || (http.path ^= "/`, "\n", "\r\t",
		"\x00", "\xff", "日本", "é\u2028", `\n`, `\\`, "net.port=", "*", "' or 1", "\u202e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.ToValidUTF8(s, "\uFFFD")
		for _, build := range []func(Field, string) Expr{Equal, NotEqual, HasPrefix, HasSuffix, Contains} {
			lone := build(Any(HTTPHost), s)
			wanted := build(Any(HTTPHost), want)
			if got := must(Parse(lone.String())); !reflect.DeepEqual(got, wanted) {
				t.Fatalf("%q became %q", s, got)
			}
			among := func(e Expr) Expr { return And(path, Not(Or(e, get)), e) }
			if got := must(Parse(among(lone).String())); !reflect.DeepEqual(got, among(wanted)) {
				t.Fatalf("%q became %q", s, got)
			}
		}
		if e, err := Matches(HTTPPath, s); err == nil {
			if got := must(Parse(e.String())); !reflect.DeepEqual(got, e) {
				t.Fatalf("regex %q became %q", s, got)
			}
		}
		for _, field := range []func(string) (Field, error){Header, Query} {
			if name, err := field(s); err == nil {
				must(Parse(Equal(name, "").String()))
			}
		}
	})
}

// FuzzParse holds that Parse never panics, and that printing is a fixed point.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`http.path == "/a" && http.host =^ ".b" || !(any(lower(http.headers.x)) contains r#"y"#)`,
		`net.src.ip in 10.0.0.0/8 && net.src.ip not in fd00::/8 || net.dst.port >= 0x1f && net.dst.port < -017`,
		`net.src.ip == ::ffff:1:2 || net.src.ip != 1.2.3.4`,
		`http.path ~ "^/(?<a>[^/]+)\\d{2,3}"`, `http.path == "\q"`, `(((`, `!(`, `any(`, `net.src.ip notin`, `"`, `r#"`,
		"http.path == \"\xff\"", `http.path.segments.1_2 == "" && http.path.segments.len > 9`, `net.src.ip in 00.0.0.0/000`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(s) {
				t.Fatalf("%q: %v is outside of it", s, err)
			}
			return
		}
		src := e.String()
		again, err := Parse(src)
		if err != nil {
			t.Fatalf("%q printed as %q: %v", s, src, err)
		}
		if !reflect.DeepEqual(again, e) || again.String() != src {
			t.Fatalf("%q printed as %q, then as %q", s, src, again)
		}
		Eval(e, &sample)
	})
}

// FuzzRegex holds that an accepted regex compiles.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{
		`^/(?P<a>[^/]+)\d{2,3}`, `[]a-z[:alpha:]\]\d-]`, `(?i-s:a)`, `\p{Greek}\pL\x{1F}`, `a(?i)*`, `[\`, `(?`, `\`, `a{1`, `[[:`, `[a-`, `(?<`, `[^`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		if ValidateRegex(s) == nil {
			regexp.MustCompile(s)
		}
	})
}
