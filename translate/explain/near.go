package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/routing"
)

const (
	// mostNear is the number of near routes of each sort in an answer.
	mostNear = 5
	// mostTerms is the number of terms of an expression that compare one part of a request.
	mostTerms = 3
)

// near returns the routes that match and come later, and those that a single condition excludes, the
// nearest first.
func (c *Configuration) near(at arrival) []Near {
	var matching []Near
	var missing []miss
	for _, r := range c.routes(at.Request) {
		if r == at.route || r.object.Kind == "" || r.Priority == 0 {
			continue
		}
		failed := r.program.False(&at.routed)
		switch {
		case len(failed) > mostTerms:
		case len(failed) > 0:
			if m, ok := missOf(r, failed, at); ok {
				missing = append(missing, m)
			}
		case len(matching) < mostNear:
			matching = append(matching, later(at, r))
		}
	}
	slices.SortStableFunc(missing, func(a, b miss) int { return cmp.Compare(a.distance, b.distance) })
	for _, m := range missing[:min(len(missing), mostNear)] {
		matching = append(matching, m.Near)
	}
	return matching
}

// later returns a route that matches after the one that takes the request.
func later(at arrival, r *routeEntity) Near {
	decision := routing.Decision
	if !at.ofRequests() {
		decision = routing.StreamDecision
	}
	part, why := decision(at.route.Priority, r.Priority)
	return Near{Route: r.route(), Lost: cmp.Or(part, "id"), Matches: true, Why: why}
}

// miss is a route that one condition excludes, and by how much.
type miss struct {
	Near
	distance int
}

// missOf returns why a route does not match; false if several parts of the request do not.
func missOf(r *routeEntity, failed []int, at arrival) (miss, bool) {
	terms := expression.Conjuncts(r.expr)
	part := ""
	for _, i := range failed {
		for p := range expression.Predicates(terms[i]) {
			of := partOf(p.Field)
			if of == "" || part != "" && of != part {
				return miss{}, false
			}
			part = of
		}
	}
	distance := 1 << 20
	for p := range expression.Predicates(r.expr) {
		if partOf(p.Field) == part {
			distance = min(distance, distanceOf(p, at))
		}
	}
	if (part == "host" || part == "server name") && distance > 2 {
		return miss{}, false
	}
	return miss{Near{Route: r.route(), Lost: part, Why: reason(part, terms[failed[len(failed)-1]], at)}, distance}, true
}

// partOf returns the part of a request that a field reads; empty for a port.
func partOf(fieldName string) string {
	switch fieldName {
	case "http.host":
		return "host"
	case "http.path":
		return "path"
	case "http.method":
		return "method"
	case "tls.sni":
		return "server name"
	case "net.protocol":
		return "protocol"
	}
	if name, ok := strings.CutPrefix(fieldName, "http.headers."); ok {
		return "header " + strings.ReplaceAll(name, "_", "-")
	}
	if name, ok := strings.CutPrefix(fieldName, "http.queries."); ok {
		return "query parameter " + name
	}
	return ""
}

// distanceOf returns how far a request is from a comparison: for hosts the number of changed
// characters, for paths what they do not have in common.
func distanceOf(p expression.Predicate, at arrival) int {
	switch p.Field {
	case "http.host":
		return hostDistance(strings.ToLower(at.routed.Host), p)
	case "tls.sni":
		return hostDistance(strings.ToLower(at.routed.SNI), p)
	case "http.path":
		common := 0
		for common < min(len(at.routed.Path), len(p.Value)) && at.routed.Path[common] == p.Value[common] {
			common++
		}
		return 10 + len(p.Value) - common
	}
	return 3
}

func hostDistance(host string, p expression.Predicate) int {
	switch p.Operator {
	case "=^": // a wildcard: only the number of labels differs
		if strings.HasSuffix(host, p.Value) {
			return 1
		}
		if "."+host == p.Value {
			return 1
		}
		return editDistance(suffix(host, len(p.Value)), p.Value)
	case "==":
		return editDistance(host, p.Value)
	}
	return 1 << 10
}

func suffix(text string, n int) string { return text[max(0, len(text)-n):] }

// editDistance returns the number of characters to insert, delete or replace, or 3 for more than 2.
func editDistance(a, b string) int {
	const most = 2
	if d := len(a) - len(b); d > most || d < -most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left, diagonal := i+1, row[0]
		row[0] = left
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return min(row[len(b)], most+1)
}

// reason returns a sentence on a condition that is false for a request.
func reason(part string, term expression.Expr, at arrival) string {
	value := ""
	switch {
	case part == "host":
		value = fmt.Sprintf("%q", at.routed.Host)
	case part == "path":
		value = fmt.Sprintf("%q", at.routed.Path)
	case part == "method":
		value = fmt.Sprintf("%q", at.routed.Method)
	case part == "server name":
		value = fmt.Sprintf("%q", at.routed.SNI)
	case part == "protocol":
		value = fmt.Sprintf("%q", at.routed.Protocol)
	case strings.HasPrefix(part, "header "):
		value = quotedOr(at.Header.Values(strings.TrimPrefix(part, "header ")))
	default:
		value = quotedOr(at.routed.Queries[strings.TrimPrefix(part, "query parameter ")])
	}
	return fmt.Sprintf("the %s is %s, and the route needs %s", part, value, wanted(term))
}

func quotedOr(values []string) string {
	if len(values) == 0 {
		return "missing"
	}
	return fmt.Sprintf("%q", values)
}

// operators are the comparisons in words.
var operators = map[string]string{"==": "", "!=": "another than ", "^=": "one that starts with ", "=^": "one that ends in ", "~": "one that matches "}

// wanted returns what a condition needs, in words.
func wanted(term expression.Expr) string {
	var all []string
	for p := range expression.Predicates(term) {
		if domain, ok := strings.CutPrefix(p.Value, `^[^.]+\.`); ok && p.Field == "http.host" {
			return fmt.Sprintf("%q, whose wildcard stands for exactly one label", "*."+strings.ReplaceAll(strings.TrimSuffix(domain, "$"), `\.`, "."))
		}
		not := ""
		if p.Negated {
			not = "not "
		}
		all = append(all, fmt.Sprintf("%s%s%q", not, operators[p.Operator], p.Value))
	}
	const most = 4
	if len(all) > most {
		return strings.Join(all[:most], " or ") + fmt.Sprintf(" or %d others", len(all)-most)
	}
	return strings.Join(all, " or ")
}
