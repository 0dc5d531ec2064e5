package expression

import (
	"strings"
	"testing"
)

func TestValidateRegexAccepts(t *testing.T) {
	for _, regex := range []string{
		``, `^/foo/\d{3}$`, `^/v\d+/(?P<id>[^/]+)/(?<rest>.*)`, `(?i)^/a`, `(?i:a)b(?-i:c)(?s-i:.)(?m)(?U)`,
		`\/a\-b\_\.\@\ `, `[a-z0-9_.-]+`, `[]a]`, `[^]a]`, `[-a]`, `[a-]`, `[\]\[\^\-]`, `[[:alpha:][:^digit:]_]`,
		`[^\d\s\x00-\x{1F}]`, `\pL\p{Greek}\P{Lu}\p{L}`, `a{0}b{2}c{2,}d{2,3}?`, `}`, `]`, `a||b|`, `()`, `é|日`,
		`\Aa\bb\Bc\z`, `\a\f\n\r\t\v`, `[a-é]`, `[|&~]`, `\w{400}`, `[a-z]{1000}`, `(?:[0-9a-f]{4}-){7}`,
	} {
		if err := ValidateRegex(regex); err != nil {
			t.Error(err)
		}
	}
}

func TestValidateRegexRefuses(t *testing.T) {
	for regex, want := range map[string]string{
		`(`: "missing closing )", `)`: "unexpected )", `*a`: "missing argument", `[`: "missing closing ]",
		`a(?=b)`: "look-around (?= is not", `(?!a)`: "look-around (?! is", `(?<=a)b`: "look-around (?<= is", `(?<!a)b`: "look-around (?<! is",
		`(a)\1`: `backreference \1`, `\0`: "escape", `\12`: "escape", `a\C`: "escape", `\Qa\E`: `escape \Q`,
		`\u0041`: "escape", `\Z`: "escape", `\<a`: "word boundary", `a\>`: "word boundary", `[\<]`: "word boundary",
		`[a&&b]`: "set operation", `[a--b]`: "", `[a~~b]`: "set operation", `[+--]`: "set operation",
		`[[a]]`: "nested class", `[a[]`: "nested class", `[[:a]`: "nested class", `[]`: "missing closing ]", `[\b]`: "escape",
		`[\d-z]`: "unescaped -", `[a-c-e]`: "unescaped -", `[]-a]`: "unescaped -", `[[:alpha:]-z]`: "unescaped -", `[a-[:alpha:]]`: "",
		`{`: "unescaped {", `a{`: "unescaped {", `a{x}`: "unescaped {", `a{,2}`: "unescaped {", `a{1`: "unescaped {", `{a}`: "unescaped {",
		`a**`: "nested repetition", `a{2}{3}`: "nested repetition", `a{1001}`: "repeat count", `a{3,2}`: "repeat count",
		`(?ii)a`: "flag i is repeated", `(?i-i)a`: "flag i is repeated", `(?x)a`: "", `(?u)a`: "", `(?)`: "missing", `(?i-)`: "",
		`a(?i)*`: "repeats nothing", `a(?i){2}`: "repeats nothing",
		`(?P<1>a)`: "starts with a digit", `(?P<n>a)(?<n>b)`: "two groups are named n", `(?P<a.b>a)`: "", `(?P=n)`: "",
		`\p{^L}`: `write \P`, `\p{Nope}`: "range", `\pX`: "range",
		`\w{600}`: "10 MB", `(?:\pL{20}){30}`: "10 MB", `(?:[^/]{100}){300}`: "repeat count",
		strings.Repeat("(", maxGroups+1) + strings.Repeat(")", maxGroups+1): "groups nest",
		"a\x00": "NUL", "a\xff": "UTF-8", "net.port=": "net.dst.port",
	} {
		err := ValidateRegex(regex)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", regex, err, want)
		}
		if e, err := Matches(HTTPPath, regex); err == nil || e != nil {
			t.Errorf("Matches(%q) = %v, %v", regex, e, err)
		}
	}
}
