package tenancy

import (
	"regexp"
	"strings"
	"testing"
)

func TestLookups(t *testing.T) {
	for template, want := range map[string]int{
		"":                                0,
		"x-a:b":                           0,
		"$5 (and more) $":                 0,
		"$ (headers.x)":                   0,
		"$(headers.x)":                    1,
		"x:$(headers.x)$(headers.y)":      2,
		`$(headers["x-y"])`:               1,
		`$(headers['x-y'])`:               1,
		"$(query_params.user)":            1,
		`$(query_params["us er"])`:        1,
		"$(uri_captures[1])":              1,
		`$(uri_captures["name"])`:         1,
		"$(uri_captures.name)":            1,
		"$(shared.tier)":                  1,
		`$(shared["tier"])`:               1,
		"$( headers.x )":                  1,
		`$(headers.x or "none")`:          1,
		`$(headers.x or query_params.x)`:  1,
		`a$(headers.x or shared.y or '')`: 1,
	} {
		if got, err := lookups(template); err != nil || got != want {
			t.Errorf("%s: %d look-ups, error %v; want %d", template, got, err, want)
		}
	}
	for _, template := range []string{
		"$((function() while true do end end)())",
		"$(headers)",
		"$()",
		"$(headers.x",
		"$(headers.x())",
		"$(headers.x:rep(1000000))",
		"$(headers.x .. headers.x)",
		"$(headers.x, headers.y)",
		"$(headers.x or os.exit())",
		"$(headers.x or headers)",
		`$("text")`,
		`$(headers.x or "a)b")`,
		`$(headers["a)b"])`,
		`$(headers["a\"]..("x"):rep(9)..headers["b"])`,
		`$(headers["x" .. "y"])`,
		"$(headers[1])",
		"$(headers[x])",
		"$(headers.x[1])",
		"$(shared.a.b)",
		"$(_G.x)",
		"$(type(headers.x))",
		"$(headers.x\nor headers.y)",
		"$(headers.x -- )",
		"$(headers.x)$(os.time())",
		"$(uri_captures[1]+1)",
		"$(uri_captures[#headers])",
		"$(not headers.x)",
		"$$(headers)",
	} {
		if n, err := lookups(template); err == nil {
			t.Errorf("%s passes with %d look-ups", template, n)
		}
	}
}

// balanced returns the expressions that Kong's template engine evaluates: what follows a dollar
// sign in balanced parentheses. The engine counts parentheses, including those in quotes.
func balanced(template string) (expressions []string) {
	for at := 0; at < len(template); at++ {
		if !strings.HasPrefix(template[at:], "$(") {
			continue
		}
		depth := 0
		for end := at + 1; end < len(template); end++ {
			switch template[end] {
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth == 0 {
				expressions = append(expressions, template[at+2:end])
				at = end
				break
			}
		}
	}
	return expressions
}

// inert matches an expression that calls, joins and computes nothing.
var inert = regexp.MustCompile(`^[^()\\{}:;,+*/%^#<>=~\n]*$`)

// FuzzLookups holds that Kong's engine would evaluate only look-ups in a string that passes, and
// in each of its suffixes: Kong takes what follows a colon as the template.
func FuzzLookups(f *testing.F) {
	for _, text := range []string{"x:$(headers.x)", `$(headers["a"] or 'b')`, "$$(x)", "$(uri_captures[1])$(", `$(headers[")"])`, "$(shared.x)\n$(os)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := lookups(text); err != nil {
			return
		}
		for i := range text {
			for _, expression := range balanced(text[i:]) {
				quoted := regexp.MustCompile(`"[^"]*"|'[^']*'`).ReplaceAllString(expression, "q")
				if !inert.MatchString(quoted) {
					t.Errorf("%q passes, but Kong would run %q", text, expression)
				}
			}
		}
	})
}
