package kong

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Expression says a match in the router's language. The error names the part of
// the match that cannot be said.
func Expression(m route.Match) (expression.Expr, error) {
	byHost, err := hostExpression(m.Host)
	if err != nil {
		return nil, err
	}
	byPath, err := pathExpression(m.Path)
	if err != nil {
		return nil, err
	}
	return expression.And(byHost, byPath), nil
}

// host is the Host header in lower case: names have no case, and Kong compares what
// the client wrote. It costs nothing that can be measured, at 10 000 routes either.
var host = expression.Lower(expression.HTTPHost)

func hostExpression(h route.Host) (expression.Expr, error) {
	switch {
	case h == "":
		return nil, nil
	case h.Wildcard():
		// The suffix alone would let several labels through; it stands first
		// because it is the cheaper one to fail.
		oneLabel, err := expression.Matches(host, `^[^.]+\.`+regexp.QuoteMeta(h.Domain())+`$`)
		if err != nil {
			return nil, err
		}
		return expression.And(expression.HasSuffix(host, "."+h.Domain()), oneLabel), nil
	default:
		return expression.Equal(host, string(h)), nil
	}
}

func pathExpression(p route.Path) (expression.Expr, error) {
	if p.Kind == route.Regex {
		return expression.Matches(expression.HTTPPath, anchored(p.Value))
	}
	path := normalized(p.Value)
	if !utf8.ValidString(path) {
		return nil, fmt.Errorf("path %q: not UTF-8 when decoded, which Kong's router cannot compare", p.Value)
	}
	switch p.Kind {
	case route.Exact:
		return expression.Equal(expression.HTTPPath, path), nil
	case route.Characters:
		return expression.HasPrefix(expression.HTTPPath, path), nil
	default:
		elements := strings.TrimRight(path, "/")
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
