package annotation

import (
	"encoding/json"
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Rewriting is the path from the annotation rewrite that replaces a request's path.
type Rewriting struct {
	values   *Values
	template string
	highest  int // the highest referenced capture
}

// RewriteURI parses the annotation rewrite; nil if it is not set or invalid. $1 is the first
// capture of the path's regular expression, and \$ is a dollar sign.
//
// Kong's request-transformer treats the new path as a template in which $(...) runs as Lua. The
// result only contains references to captures and a constant in this form, and never a user's
// text.
func (v *Values) RewriteURI() *Rewriting {
	text, ok := v.object.GetAnnotations()[Prefix+Rewrite]
	if !ok {
		return nil
	}
	const allowed = "a path of at most 8192 bytes that starts with / or a capture, with at most 64 captures, and without spaces, control characters, ? or #"
	if len(text) > maxRewrite || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return r == '?' || r == '#' || unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError
	}) {
		v.Invalid(Rewrite, text, allowed)
		return nil
	}
	template, highest, err := rewriteTemplate(text)
	begins := strings.HasPrefix(text, "/") || len(text) > 1 && text[0] == '$' && digit(text[1])
	if err != nil || !begins {
		v.Invalid(Rewrite, text, allowed)
		return nil
	}
	return &Rewriting{values: v, template: template, highest: highest}
}

const (
	// maxRewrite is the longest request line that Kong accepts, in bytes.
	maxRewrite = 8192
	// maxCaptures is far above the groups of any real expression.
	maxCaptures = 99
	// maxReferences bounds the length of a rewritten path: each can be as long as the request's
	// path.
	maxReferences = 64
)

// dollar is a dollar sign that the template does not treat as the start of Lua.
const dollar = `$("$")`

func digit(c byte) bool { return c >= '0' && c <= '9' }

// rewriteTemplate returns a template that evaluates to the text with its captures.
func rewriteTemplate(text string) (template string, highest int, err error) {
	var b strings.Builder
	references := 0
	for i := 0; i < len(text); i++ {
		literal := text[i]
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '$':
			i++
			literal = '$'
		case text[i] == '$' && i+1 < len(text) && digit(text[i+1]):
			end := i + 1
			for end < len(text) && digit(text[end]) {
				end++
			}
			n, err := strconv.Atoi(text[i+1 : end])
			if references++; err != nil || n > maxCaptures || references > maxReferences {
				return "", 0, fmt.Errorf("capture %s", text[i:end])
			}
			fmt.Fprintf(&b, "$(uri_captures[%d])", n)
			highest = max(highest, n)
			i = end - 1
			continue
		}
		if literal == '$' && i+1 < len(text) && text[i+1] == '(' {
			b.WriteString(dollar)
			continue
		}
		b.WriteByte(literal)
	}
	return b.String(), highest, nil
}

// Plugin returns the plugin that rewrites a path. A capture that the path lacks results in a
// verdict, and in an empty string.
func (w *Rewriting) Plugin(path route.Path, tags []string) route.Plugin {
	if groups := captures(path); w.highest > groups {
		w.values.Verdicts = append(w.values.Verdicts, unit.Warning(w.values.key, "AnnotationInvalid", fmt.Sprintf(
			"annotation %s%s: path %q has %d groups, so $%d is empty", Prefix, Rewrite, path.Value, groups, w.highest)).At(Field(Rewrite)))
	}
	config, err := json.Marshal(map[string]any{"replace": map[string]any{"uri": w.template}})
	if err != nil {
		panic(err) // a map of strings
	}
	return route.Plugin{Name: "request-transformer", Config: config, Tags: tags}
}

// captures counts the groups of a regular expression. If Go cannot parse it, it returns the
// maximum, so that no verdict results.
func captures(path route.Path) int {
	if path.Kind != route.Regex {
		return 0
	}
	parsed, err := syntax.Parse(path.Value, syntax.Perl)
	if err != nil {
		return maxCaptures
	}
	return parsed.MaxCap()
}
