package kong

import (
	"regexp"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Expression says a match in the router's language. The error names the part of
// the match that cannot be said.
func Expression(m route.Match) (expression.Expr, error) {
	host, err := hostExpression(m.Host)
	if err != nil {
		return nil, err
	}
	path, err := pathExpression(m.Path)
	if err != nil {
		return nil, err
	}
	return expression.And(host, path), nil
}

func hostExpression(h route.Host) (expression.Expr, error) {
	switch {
	case h == "":
		return nil, nil
	case h.Wildcard():
		// The suffix alone would let several labels through; it stands first
		// because it is the cheaper one to fail.
		oneLabel, err := expression.Matches(expression.HTTPHost, `^[^.]+\.`+regexp.QuoteMeta(h.Domain())+`$`)
		if err != nil {
			return nil, err
		}
		return expression.And(expression.HasSuffix(expression.HTTPHost, "."+h.Domain()), oneLabel), nil
	default:
		return expression.Equal(expression.HTTPHost, string(h)), nil
	}
}

func pathExpression(p route.Path) (expression.Expr, error) {
	switch p.Kind {
	case route.Exact:
		return expression.Equal(expression.HTTPPath, p.Value), nil
	case route.Regex:
		return expression.Matches(expression.HTTPPath, anchored(p.Value))
	case route.Characters:
		return expression.HasPrefix(expression.HTTPPath, rooted(p.Value)), nil
	default:
		elements := strings.TrimRight(p.Value, "/")
		if elements == "" {
			return expression.HasPrefix(expression.HTTPPath, "/"), nil
		}
		return expression.Or(
			expression.Equal(expression.HTTPPath, elements),
			expression.HasPrefix(expression.HTTPPath, elements+"/"),
		), nil
	}
}

// anchored makes a regular expression match from the path's begin, all of its
// alternatives.
func anchored(regex string) string {
	switch {
	case strings.HasPrefix(regex, "^"):
		return regex
	case strings.Contains(regex, "|"):
		return "^(?:" + regex + ")"
	default:
		return "^" + regex
	}
}

func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}
