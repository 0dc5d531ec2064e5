package routing

import (
	"slices"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// CheckMatch reports whether the router's language can express a match within the limits. The
// error names the part of the match that it cannot express, or the limit.
func CheckMatch(m route.Match, limits limit.Limits) error {
	if err := CheckCounts(m, limits); err != nil {
		return err
	}
	expr, err := Expression(m)
	if err != nil || expr == nil {
		return err
	}
	_, _, err = Bounded(expr, len(m.NotHosts), limits)
	return err
}

// CheckCounts is a cheap first check of a match against the limits: it only counts values.
func CheckCounts(m route.Match, limits limit.Limits) error {
	terms, regexes := len(m.Methods)+len(m.SNIs), 0
	for _, v := range slices.Concat(m.Headers, m.Queries) {
		terms += len(v.Values)
		if v.Regex {
			regexes += len(v.Values)
		}
	}
	if limit.Exceeds(terms, limits.MatchTerms) {
		return tooManyTerms(terms, limits)
	}
	if size := regexes * expression.LeastRegex; limit.Exceeds(size, limits.Match) {
		return tooLargeMatch(size, limits)
	}
	return nil
}

func tooManyTerms(terms int, limits limit.Limits) error {
	return &limit.Exceeded{Subject: "the match", Value: terms, Unit: "comparisons", Most: limits.MatchTerms, Setting: limit.MatchTerms}
}

func tooLargeMatch(size int, limits limit.Limits) error {
	return &limit.Exceeded{Subject: "the match", Value: size, Unit: "bytes in a router", Most: limits.Match, Setting: limit.MatchBytes}
}

// sizeOther is the size of an excluded host of another listener, in bytes.
const sizeOther = 500

// Bounded returns an expression's text and its size in a router; an error if it exceeds the
// limits. Excluded hosts of other listeners do not count, as they are not the object's own.
func Bounded(expr expression.Expr, others int, limits limit.Limits) (text string, size int, err error) {
	if terms := expression.Terms(expr) - 2*others; limit.Exceeds(terms, limits.MatchTerms) {
		return "", 0, tooManyTerms(terms, limits)
	}
	text = expr.String()
	if size = max(expression.Size(expr, text)-sizeOther*others, 0); limit.Exceeds(size, limits.Match) {
		return "", 0, tooLargeMatch(size, limits)
	}
	return text, size, nil
}
