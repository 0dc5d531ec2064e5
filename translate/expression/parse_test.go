package expression

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"no spaces", `http.path=="/a"&&http.host=="b"`, `(http.path == "/a") && (http.host == "b")`},
		{"much space", " \t\r\n http.path\n==\n\"/a\"\n ", `http.path == "/a"`},
		{"keyword operators need no space", `net.src.ip in10.0.0.0/8 && http.path contains"a"`, `(net.src.ip in 10.0.0.0/8) && (http.path contains "a")`},
		{"space in transformations", `any ( lower ( http.path ) ) == "a"`, `any(lower(http.path)) == "a"`},
		{"transformations in another order", `lower(any(lower(http.path))) == "a"`, `any(lower(http.path)) == "a"`},
		{"any of a number", `any(net.dst.port) == 1`, `any(net.dst.port) == 1`},
		{"needless parentheses", `((http.path == "a"))`, `http.path == "a"`},
		{"space after not", `! (http.path == "a")`, `!(http.path == "a")`},
		{"not of not", `!(!(http.path == "a"))`, `http.path == "a"`},

		{"or binds tighter on the right", `http.path == "a" && http.path == "b" || http.path == "c"`,
			`(http.path == "a") && ((http.path == "b") || (http.path == "c"))`},
		{"or binds tighter on the left", `http.path == "a" || http.path == "b" && http.path == "c"`,
			`((http.path == "a") || (http.path == "b")) && (http.path == "c")`},
		{"or binds tighter on both sides", `http.path == "a" || http.path == "b" && http.path == "c" || http.path == "d"`,
			`((http.path == "a") || (http.path == "b")) && ((http.path == "c") || (http.path == "d"))`},

		{"escapes", `http.path == "\"\\\n\r\t"`, `http.path == "\"\\\n\r\t"`},
		{"line break in text", "http.path == \"a\nb\"", `http.path == "a\nb"`},
		{"raw string", `http.path == r#"a\d"b"#`, `http.path == "a\\d\"b"`},
		{"raw string ends at the first chance", `http.path == r#""#`, `http.path == ""`},
		{"hexadecimal", `net.dst.port == 0x1F`, `net.dst.port == 31`},
		{"octal", `net.dst.port == 0123`, `net.dst.port == 83`},
		{"negative octal", `net.dst.port == -0123`, `net.dst.port == -83`},
		{"decimal with zero", `net.dst.port == 09`, `net.dst.port == 9`},
		{"smallest", `net.dst.port == -9223372036854775807`, `net.dst.port == -9223372036854775807`},
		{"zeros in a block", `net.src.ip in 010.00.0.000/08`, `net.src.ip in 10.0.0.0/8`},
		{"address of IPv6", `net.src.ip == 0:0::ABCD`, `net.src.ip == ::abcd`},
		{"field without name", `http.headers. == ""`, `http.headers. == ""`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := Parse(test.src)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.String(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, src string
		offset    int
		reason    string // a part of it
	}{
		{"nothing", "", 0, "expected a field"},
		{"space", "  ", 2, "expected a field"},
		{"no operator", `http.path "a"`, 10, "expected an operator"},
		{"no literal", `http.path == `, 13, "expected a literal"},
		{"rest", `http.path == "a" http.path`, 17, "expected &&, || or the end"},
		{"single ampersand", `http.path == "a" & http.path == "b"`, 17, "expected &&"},
		{"open parenthesis", `(http.path == "a"`, 17, "or )"},
		{"not without parentheses", `! http.path == "a"`, 2, "expected ( after !"},
		{"not not", `!!(http.path == "a")`, 1, "expected ( after !"},
		{"open string", `http.path == "a`, 13, `closing "`},
		{"string ends in a backslash", `http.path == "a\`, 16, "after a backslash"},
		{"unknown escape", `http.path == "\d"`, 15, "after a backslash"},
		{"open raw string", `http.path == r#"a"`, 13, `closing "#`},
		{"not UTF-8", "http.path == \"a\xff\"", 15, "UTF-8"},

		{"two spaces in not in", `net.src.ip not  in 10.0.0.0/8`, 11, "one space"},
		{"no space in not in", `net.src.ip notin 10.0.0.0/8`, 11, "one space"},
		{"unknown field", `http.foo == "a"`, 0, `unknown field "http.foo"`},
		{"old field", `net.port == 1`, 0, "net.dst.port"},
		{"dot in a header", `http.headers.a.b == "a"`, 0, "no . is allowed"},
		{"segments", `http.path.segments.2_1 == "a"`, 0, "N_M"},
		{"segments with zeros", `http.path.segments.01 == "a"`, 0, "N_M"},
		{"unknown transformation", `upper(http.path) == "a"`, 0, "lower or any"},
		{"lower of a number", `lower(net.dst.port) == 1`, 0, "lower needs a string"},
		{"open transformation", `lower(http.path == "a"`, 16, "expected )"},

		{"octal with 8", `net.dst.port == 0789`, 18, "expected &&"},
		{"capital X", `net.dst.port == 0X1`, 17, "expected &&"},
		{"too large", `net.dst.port == 9223372036854775808`, 16, "64 bits"},
		{"smaller than smallest", `net.dst.port == -9223372036854775808`, 16, "64 bits"},
		{"minus", `net.dst.port == -`, 16, "expected a literal"},
		{"host bits", `net.src.ip in 10.0.0.1/8`, 14, "host part"},
		{"bits", `net.src.ip in 10.0.0.0/33`, 14, "longer than 32"},
		{"bits of IPv6", `net.src.ip in ::/129`, 14, "longer than 128"},
		{"no bits", `net.src.ip in 10.0.0.0/`, 14, "expected a CIDR block, not an IP address"},
		{"number of an address", `net.src.ip == 256.0.0.0`, 14, "not an IP address"},
		{"zeros in an address", `net.src.ip == 01.0.0.0`, 14, "not an IP address"},
		{"dots in IPv6", `net.src.ip == ::ffff:1.2.3.4`, 22, "expected &&"},

		{"type of a literal", `http.path == 1`, 13, "expected a string, not an integer"},
		{"type of an address", `net.src.ip == 10.0.0.0/8`, 14, "expected an IP address, not a CIDR block"},
		{"order of text", `http.path > "a"`, 0, "operator > needs a field that is an integer"},
		{"prefix of a number", `net.dst.port ^= "a"`, 0, "operator ^= needs a field that is a string"},
		{"text in a block", `http.host in 10.0.0.0/8`, 0, "operator in needs a field that is an IP address"},
		{"regex", `http.path ~ "a("`, 12, "missing closing )"},
		{"deep", strings.Repeat("(", maxDepth+1), maxDepth, "nested deeper"},
		{"deep transformations", strings.Repeat("any(", maxDepth+1), 4 * maxDepth, "nested deeper"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := Parse(test.src)
			syntax, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("got %v, %v", e, err)
			}
			if syntax.Offset != test.offset || !strings.Contains(syntax.Reason, test.reason) {
				t.Errorf("got %v, want offset %d: …%s…", err, test.offset, test.reason)
			}
		})
	}
}
