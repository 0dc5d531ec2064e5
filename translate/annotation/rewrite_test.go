package annotation

import (
	"regexp"
	"strings"
	"testing"
)

// evaluated matches what Kong's template engine runs as Lua: a dollar sign and balanced
// parentheses. It may only find captures and the constant.
var evaluated = regexp.MustCompile(`\$\((uri_captures\[\d+\]|"\$")\)`)

func safe(template string) bool {
	return !strings.Contains(evaluated.ReplaceAllString(template, "x"), "$(")
}

func TestRewriteTemplate(t *testing.T) {
	for text, want := range map[string]string{
		"/a":           "/a",
		"/a/$1/b$12":   "/a/$(uri_captures[1])/b$(uri_captures[12])",
		`/\$1`:         "/$1",
		"/$(x)":        `/$("$")(x)`,
		`/\$(x)`:       `/$("$")(x)`,
		"/$$(x)":       `/$$("$")(x)`,
		"/$$1":         "/$$(uri_captures[1])",
		"/$1(x)":       "/$(uri_captures[1])(x)",
		`/a\b`:         `/a\b`,
		"/costs$":      "/costs$",
		"/$1$(\"$\")(": `/$(uri_captures[1])$("$")("$")(`,
	} {
		if got, _, err := rewriteTemplate(text); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	if _, _, err := rewriteTemplate("/$100000000000000000000"); err == nil {
		t.Error("a capture with too many digits is accepted")
	}
	if _, _, err := rewriteTemplate(strings.Repeat("/$1", maxReferences)); err != nil {
		t.Error(err)
	}
	if _, _, err := rewriteTemplate(strings.Repeat("/$1", maxReferences+1)); err == nil {
		t.Error("a template may repeat the path without limit")
	}
}

func FuzzRewriteTemplate(f *testing.F) {
	for _, text := range []string{"/$1", "/$(x)", `/\$(x)`, "$$$((", "/$1($2)$", `/\\$(x)`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template, _, err := rewriteTemplate(text)
		if err == nil && !safe(template) {
			t.Errorf("%q results in %q, in which Kong would run more than captures", text, template)
		}
	})
}
