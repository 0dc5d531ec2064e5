package filter

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// schemaOf returns the source of a plugin's schema.
func schemaOf(t *testing.T, plugin string) string {
	t.Helper()
	source, err := os.ReadFile("../../../kong-conf/lua/kong/plugins/" + plugin + "/schema.lua")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// found returns the first group of the only match of an expression.
func found(t *testing.T, source, expression string) string {
	t.Helper()
	all := regexp.MustCompile(expression).FindAllStringSubmatch(source, -1)
	if len(all) != 1 {
		t.Fatalf("%s matches the schema %d times, want once", expression, len(all))
	}
	return all[0][1]
}

// luaClass returns a function that reports whether a byte is in a set of a Lua pattern. It knows
// the sets that the schemas use, which have no ranges.
func luaClass(t *testing.T, set string) func(byte) bool {
	t.Helper()
	has := map[byte]bool{}
	for i := 0; i < len(set); i++ {
		switch {
		case set[i] != '%':
			has[set[i]] = true
		case set[i+1] == 'w':
			i++
			for _, c := range []byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				has[c] = true
			}
		default:
			i++
			has[set[i]] = true
		}
		if i+1 < len(set)-1 && set[i+1] == '-' && set[i] != '%' {
			t.Fatalf("the set %s has a range", set)
		}
	}
	return func(c byte) bool { return has[c] }
}

// For each byte, the checks accept a value with it if and only if the plugin's schema does.
func TestChecksAgreeWithSchemas(t *testing.T) {
	http, ofCORS := schemaOf(t, "kube-sync-http"), schemaOf(t, "kube-sync-cors")
	const oneOrMore = `match = "\^\[([^"]+)\]\+\$"`
	control := func(c byte) bool { return c < ' ' || c == 0x7f }
	if not := found(t, http, `(?m)^local value = .*not_match = "([^"]+)"`); not != "%c" {
		t.Errorf("the schema refuses %s in values of headers, want %%c", not)
	}
	if not := found(t, http, `(?m)^local text = .*not_match = "([^"]+)"`); not != "%c" {
		t.Errorf("the schema refuses %s in paths, want %%c", not)
	}
	for name, tt := range map[string]struct {
		schema func(byte) bool
		check  func(string) error
	}{
		"header name": {luaClass(t, found(t, http, `(?m)^local name = .*`+oneOrMore)),
			func(s string) error { return (&headers{Set: []header{{Name: s}}}).check() }},
		"removed header": {luaClass(t, found(t, http, `(?m)^local name = .*`+oneOrMore)),
			func(s string) error { return (&headers{Remove: []string{s}}).check() }},
		"host": {luaClass(t, found(t, http, `(?m)^local host = .*`+oneOrMore)),
			func(s string) error { return (&rewrite{Host: s}).check() }},
		"host of a redirect": {luaClass(t, found(t, http, `(?m)^local host = .*`+oneOrMore)),
			func(s string) error { return (&redirect{Status: 302, Host: s}).check() }},
		"CORS names": {luaClass(t, found(t, ofCORS, `(?m)^local names = .*`+oneOrMore)), func(s string) error { return (&cors{Expose: s}).check() }},
		"value": {func(c byte) bool { return !control(c) },
			func(s string) error { return (&headers{Add: []header{{Name: "x", Value: s}}}).check() }},
		"path": {func(c byte) bool { return !control(c) },
			func(s string) error { return (&rewrite{Path: &path{Full: &s}}).check() }},
		"replacement": {func(c byte) bool { return !control(c) },
			func(s string) error { return (&redirect{Status: 302, Path: &path{Replacement: &s}}).check() }},
	} {
		for c := range 256 {
			text := "a" + string([]byte{byte(c)}) + "b"
			if got := tt.check(text) == nil; got != tt.schema(byte(c)) {
				t.Errorf("%s %q: accepted %t, by the schema %t", name, text, got, tt.schema(byte(c)))
			}
		}
	}
	var statuses []int
	for number := range strings.SplitSeq(found(t, http, `status = \{.*one_of = \{ (3[0-9, ]+) \}`), ", ") {
		status, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, status)
	}
	if !slices.Equal(statuses, redirectStatuses) {
		t.Errorf("redirects may have the statuses %v, by the schema %v", redirectStatuses, statuses)
	}
	if schemes := found(t, http, `scheme = \{.*one_of = \{ ([^}]+) \}`); schemes != `"http", "https"` {
		t.Errorf("redirects may have the schemes %v, by the schema %s", redirectSchemes, schemes)
	}
	if limit := found(t, http, `port = \{.*between = \{ 1, (\d+) \}`); limit != strconv.Itoa(maxPort) {
		t.Errorf("ports end at %d, by the schema at %s", maxPort, limit)
	}
	if (&redirect{Status: 300}).check() == nil || (&redirect{Status: 302, Scheme: "ftp"}).check() == nil || (&redirect{Status: 302, Port: maxPort + 1}).check() == nil {
		t.Error("a redirect is accepted that the schema refuses")
	}
}
