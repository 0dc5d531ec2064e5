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

// Rewriting is what the annotation rewrite puts in the place of a path.
type Rewriting struct {
	values   *Values
	template string
	highest  int // the highest capture that it refers to
}

// RewriteURI reads the annotation rewrite; it is nil when there is none to be had. $1 is
// what the first group of the path's regular expression caught, \$ a dollar sign.
//
// Kong's request-transformer takes the new path as a template in which $(...) runs as
// Lua. Only references to captures and a constant are ever written as one, and text of
// the user's nowhere inside.
func (v *Values) RewriteURI() *Rewriting {
	text, ok := v.object.GetAnnotations()[Prefix+Rewrite]
	if !ok {
		return nil
	}
	const allowed = "a path of at most 8192 bytes that begins with / or a capture, has at most 64 captures, and has no spaces, control characters, ? or #"
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
	// maxRewrite is the longest line of a request that Kong takes.
	maxRewrite = 8192
	// maxCaptures is far more groups than anyone counts.
	maxCaptures = 99
	// maxReferences bounds a rewritten path, which can have the whole request's path for each.
	maxReferences = 64
)

// dollar is a dollar sign where the template could take one for the begin of Lua.
const dollar = `$("$")`

func digit(c byte) bool { return c >= '0' && c <= '9' }

// rewriteTemplate writes a template that gives the text with its captures.
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

// Plugin rewrites what a path matches. A capture that the path does not have is said,
// and stands for nothing.
func (w *Rewriting) Plugin(path route.Path, tags []string) route.Plugin {
	if groups := captures(path); w.highest > groups {
		w.values.Verdicts = append(w.values.Verdicts, unit.Warning(w.values.key, "AnnotationInvalid", fmt.Sprintf(
			"annotation %s%s: path %q has %d groups, so $%d stands for nothing", Prefix, Rewrite, path.Value, groups, w.highest)).At(Field(Rewrite)))
	}
	config, err := json.Marshal(map[string]any{"replace": map[string]any{"uri": w.template}})
	if err != nil {
		panic(err) // a map of strings
	}
	return route.Plugin{Name: "request-transformer", Config: config, Tags: tags}
}

// captures counts the groups of a regular expression. Kong's dialect is close enough to
// Go's for that; where it is not, nothing is said.
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
