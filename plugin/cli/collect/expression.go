package collect

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// withoutLiterals returns an expression without the values that headers and query parameters are
// compared with.
func withoutLiterals(value any) any {
	text, ok := value.(string)
	if !ok {
		return hidden
	}
	parsed, err := expression.Parse(text)
	if err != nil {
		return hidden
	}
	var terms []string
	for _, term := range expression.Conjuncts(parsed) {
		secret := slices.ContainsFunc(slices.Collect(expression.Predicates(term)), func(p expression.Predicate) bool {
			return strings.HasPrefix(p.Field, "http.headers.") || strings.HasPrefix(p.Field, "http.queries.")
		})
		if secret {
			terms = append(terms, hidden)
		} else {
			terms = append(terms, "("+term.String()+")")
		}
	}
	return strings.Join(terms, " && ")
}
