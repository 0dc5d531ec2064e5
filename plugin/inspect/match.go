package inspect

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// Match is what a route matches, in the form of a table.
type Match struct {
	// Hosts are host names or server names, "*." and a domain, or regexes after "~". None stands for all.
	Hosts []string `json:"hosts"`
	// Paths are "/a" for an exact path, "/a/*" for a prefix, or a regex after "~". None stands for all.
	Paths   []string `json:"paths"`
	Methods []string `json:"methods,omitempty"`
	// Others are the other conditions in Kong's grammar, such as http.headers.x_canary == "yes".
	Others []string `json:"others,omitempty"`
}

// matchOf sums up a route's expression. An expression that cannot be parsed is one condition.
func matchOf(text string) Match {
	m := Match{Hosts: []string{}, Paths: []string{}}
	e, err := expression.Parse(text)
	if err != nil {
		m.Others = []string{text}
		return m
	}
	predicates := slices.Collect(expression.Predicates(e))
	for _, p := range predicates {
		switch {
		case p.Field == "http.host" && !p.Negated, p.Field == "tls.sni" && !p.Negated && p.Operator != "!=":
			m.addHost(p, predicates)
		case p.Field == "http.path" && !p.Negated:
			m.addPath(p, predicates)
		case p.Field == "http.method" && p.Operator == "==" && !p.Negated:
			m.Methods = add(m.Methods, p.Value)
		case p.Field == "net.dst.port" && p.Operator == "!=" && p.Value == "0":
			// always true
		case p.Field == "http.host" || p.Field == "tls.sni":
			m.Others = add(m.Others, "not "+strings.TrimPrefix(named(p), "~"))
		default:
			m.Others = add(m.Others, condition(p))
		}
	}
	return m
}

func (m *Match) addHost(p expression.Predicate, all []expression.Predicate) {
	hasSuffix := slices.ContainsFunc(all, func(o expression.Predicate) bool {
		return o.Field == p.Field && o.Operator == "=^" && !o.Negated
	})
	if p.Operator == "~" && hasSuffix { // limits a wildcard to one label
		return
	}
	m.Hosts = add(m.Hosts, named(p))
}

// named returns a predicate over a name in the form that objects use.
func named(p expression.Predicate) string {
	switch p.Operator {
	case "=^":
		return "*" + p.Value
	case "~":
		return "~" + p.Value
	}
	return p.Value
}

// addPath adds a path. The exact path beside the prefix with a slash is one prefix.
func (m *Match) addPath(p expression.Predicate, all []expression.Predicate) {
	switch p.Operator {
	case "^=":
		m.Paths = add(m.Paths, p.Value+"*")
	case "~":
		m.Paths = add(m.Paths, "~"+p.Value)
	case "==":
		prefix := expression.Predicate{Field: p.Field, Operator: "^=", Value: p.Value + "/"}
		if !slices.Contains(all, prefix) {
			m.Paths = add(m.Paths, p.Value)
		}
	default:
		m.Others = add(m.Others, condition(p))
	}
}

// condition returns a predicate in Kong's grammar.
func condition(p expression.Predicate) string {
	text := p.Field + " " + p.Operator + " " + p.Value
	if p.Negated {
		return "not " + text
	}
	return text
}

// add appends a value that is new.
func add(values []string, value string) []string {
	if slices.Contains(values, value) {
		return values
	}
	return append(values, value)
}
