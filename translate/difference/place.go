package difference

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// place is what a route matches. The strings are for people; the expression identifies it.
type place struct {
	// host is empty for all hosts, and path for all paths.
	host, path string
	// others are further conditions: "method GET", "header x-version".
	others []string
	// port is the port of Kong; empty for all ports.
	port string
}

// placeOf returns what an expression matches.
func placeOf(text string) place {
	parsed, err := expression.Parse(text)
	if err != nil {
		return place{others: []string{text}}
	}
	var p place
	for _, term := range expression.Conjuncts(parsed) {
		if predicates := slices.Collect(expression.Predicates(term)); len(predicates) > 0 {
			p.add(predicates)
		}
	}
	if p.path == "" && p.port != "" && p.host == "" {
		p.host = "port " + p.port
	}
	return p
}

// add adds a condition: one predicate, or several of which one has to hold.
func (p *place) add(condition []expression.Predicate) {
	first := condition[0]
	if first.Negated || first.Operator == "!=" {
		return // it excludes what other routes have
	}
	switch first.Field {
	case "http.host", "tls.sni":
		p.addHost(first)
	case "http.path":
		p.path = pathOf(first)
	case "net.dst.port":
		p.port = first.Value
	case "http.method":
		p.others = append(p.others, "method "+values(condition))
	case "net.protocol":
		p.others = append(p.others, "scheme "+first.Value)
	default:
		p.addValue(first, condition)
	}
}

// addHost adds a condition on the host. A wildcard for one label has two, the first of which says
// all.
func (p *place) addHost(host expression.Predicate) {
	switch {
	case p.host != "":
	case host.Operator == "=^":
		p.host = "*" + host.Value
	case host.Operator == "^=":
		p.host = host.Value + "*"
	default:
		p.host = host.Value
	}
}

// addValue adds a condition on a header or query parameter.
func (p *place) addValue(first expression.Predicate, condition []expression.Predicate) {
	if header, ok := strings.CutPrefix(first.Field, "http.headers."); ok {
		p.others = append(p.others, "header "+strings.ReplaceAll(header, "_", "-")+" "+values(condition))
	} else if query, ok := strings.CutPrefix(first.Field, "http.queries."); ok {
		p.others = append(p.others, "query "+query+" "+values(condition))
	}
}

// pathOf returns a path as people write it, given the first alternative: a prefix of whole elements
// has two.
func pathOf(first expression.Predicate) string {
	switch {
	case first.Operator == "~":
		return "~" + first.Value
	case first.Operator == "=^":
		return "*" + first.Value
	case first.Operator == "^=" && first.Value == "/":
		return ""
	case first.Operator == "^=":
		return first.Value + "*"
	}
	return first.Value
}

func values(condition []expression.Predicate) string {
	all := make([]string, len(condition))
	for i, predicate := range condition {
		all[i] = predicate.Value
	}
	return strings.Join(all, " or ")
}

// String returns the place: "a.example/api", "a.example/api with method GET", "all requests".
func (p place) String() string { return p.said(p.host) }

// within returns the place without its host: "/api".
func (p place) within() string {
	if p.path == "" && len(p.others) == 0 {
		return "/"
	}
	return p.said("")
}

func (p place) said(host string) string {
	said := host + p.path
	if said == "" {
		said = "all requests"
	}
	if len(p.others) > 0 {
		said += " with " + strings.Join(p.others, " and ")
	}
	return said
}
