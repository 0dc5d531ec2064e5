package routing

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Expression returns a match in the router's language. The error names the part of the match that
// it cannot express.
func Expression(m route.Match) (expression.Expr, error) {
	byHost, err := hostsExpression(m)
	if err != nil {
		return nil, err
	}
	byPath, err := pathExpression(m.Path)
	if err != nil {
		return nil, err
	}
	terms := []expression.Expr{byHost, byPath}
	if len(m.Connections) > 0 {
		terms = append(terms, expression.NotEqual(sni, ""))
	}
	for _, names := range m.Connections {
		terms = append(terms, expression.Not(serverNamesOf(names)))
	}
	if m.Port != 0 {
		terms = append(terms, expression.EqualInt(expression.NetDstPort, int64(m.Port)))
	}
	if m.Scheme != "" {
		terms = append(terms, expression.Equal(expression.NetProtocol, m.Scheme))
	}
	for _, h := range m.Headers {
		term, err := valuesExpression(h, expression.Header)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	for _, q := range m.Queries {
		term, err := valuesExpression(q, expression.Query)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	return expression.And(append(terms, oneOf(expression.HTTPMethod, m.Methods), serverNames(m))...), nil
}

// serverNames restricts requests over TLS only: a plain request has no server name, and may need
// a redirect. Kong's traditional routers do the same.
func serverNames(m route.Match) expression.Expr {
	switch {
	case len(m.SNIs) == 0 || m.Scheme == "http":
		return nil
	case m.Scheme == "https":
		return oneOf(sni, m.SNIs)
	}
	return expression.Or(expression.NotEqual(expression.NetProtocol, "https"), oneOf(sni, m.SNIs))
}

// oneOf returns nil, which matches everything, for no values.
func oneOf(field expression.Field, values []string) expression.Expr {
	if len(values) == 0 {
		return nil
	}
	terms := make([]expression.Expr, len(values))
	for i, v := range values {
		terms[i] = expression.Equal(field, v)
	}
	return expression.Or(terms...)
}

// valuesExpression matches if any of the values that a request has for a name does.
func valuesExpression(v route.Values, named func(string) (expression.Field, error)) (expression.Expr, error) {
	field, err := named(v.Name)
	if err != nil {
		return nil, err
	}
	field = expression.Any(field)
	if !v.Regex {
		return oneOf(field, v.Values), nil
	}
	terms := make([]expression.Expr, len(v.Values))
	for i, regex := range v.Values {
		if terms[i], err = expression.Matches(field, regex); err != nil {
			return nil, err
		}
	}
	return expression.Or(terms...), nil
}

// host is the Host header in lower case: names are case-insensitive, but Kong compares what the
// client sent. The cost is not measurable, even at 10 000 routes.
var host = expression.Lower(expression.HTTPHost)

// sni is the server name in lower case: names are case-insensitive, but Kong compares what the
// client sent.
var sni = expression.Lower(expression.TLSSNI)

// hostsExpression matches the host without the excluded hosts.
func hostsExpression(m route.Match) (expression.Expr, error) {
	byHost, err := hostExpression(m.Host)
	if m.Deep && m.Host.Wildcard() {
		byHost, err = deep(host, m.Host), nil
	}
	return without(host, byHost, m.NotHosts), err
}

func serverNamesOf(names route.ServerNames) expression.Expr {
	var byName expression.Expr
	if names.Host != "" {
		byName = deep(sni, names.Host)
	}
	return without(sni, byName, names.Not)
}

func without(name expression.Field, term expression.Expr, others []route.Host) expression.Expr {
	terms := []expression.Expr{term}
	for _, h := range others {
		terms = append(terms, expression.Not(deep(name, h)))
	}
	return expression.And(terms...)
}

// deep matches a host in which a wildcard covers one or more labels.
func deep(name expression.Field, h route.Host) expression.Expr {
	if h.Wildcard() {
		return expression.HasSuffix(name, "."+h.Domain())
	}
	return expression.Equal(name, string(h))
}

func hostExpression(h route.Host) (expression.Expr, error) {
	switch {
	case h == "":
		return nil, nil
	case h.Wildcard():
		// The suffix would also match several labels. It comes first because it is cheaper to
		// evaluate.
		oneLabel, err := expression.Matches(host, `^[^.]+\.`+regexp.QuoteMeta(h.Domain())+`$`)
		if err != nil {
			return nil, err
		}
		return expression.And(expression.HasSuffix(host, "."+h.Domain()), oneLabel), nil
	case h.Open():
		return expression.HasPrefix(host, h.Begin()), nil
	default:
		return expression.Equal(host, string(h)), nil
	}
}

func pathExpression(p route.Path) (expression.Expr, error) {
	if p.Kind == route.Regex {
		return expression.Matches(expression.HTTPPath, anchored(p.Value))
	}
	path := Normalized(p.Value)
	if !utf8.ValidString(path) {
		return nil, fmt.Errorf("path %q: the decoded path is not UTF-8, which Kong's router cannot compare", p.Value)
	}
	switch p.Kind {
	case route.Exact:
		return expression.Equal(expression.HTTPPath, path), nil
	case route.Last:
		return expression.HasSuffix(expression.HTTPPath, path), nil
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

// anchored anchors all alternatives of a regular expression at the start of the path.
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
