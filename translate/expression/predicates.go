package expression

import "strconv"

// Predicate is one comparison of an expression, for people who read about a route.
type Predicate struct {
	// Field is the field's name without its transformations, such as "http.host".
	Field string
	// Operator is Kong's, such as "==" or "^=".
	Operator string
	// Value is the literal without quotes.
	Value string
	// Negated means that the comparison is within an odd number of negations.
	Negated bool
}

// Predicates returns the comparisons of an expression, from left to right.
func Predicates(e Expr) []Predicate { return predicates(nil, e, false) }

func predicates(all []Predicate, e Expr, negated bool) []Predicate {
	switch e := e.(type) {
	case *group:
		for _, term := range e.terms {
			all = predicates(all, term, negated)
		}
	case *negation:
		return predicates(all, e.term, !negated)
	case *textPredicate:
		return append(all, Predicate{e.field.name, opText[e.op], e.value, negated})
	case *intPredicate:
		return append(all, Predicate{e.field.name, opText[e.op], strconv.FormatInt(e.value, 10), negated})
	case *ipPredicate:
		value := e.addr.String()
		if e.op == opIn || e.op == opNotIn {
			value = e.block.String()
		}
		return append(all, Predicate{e.field.name, opText[e.op], value, negated})
	}
	return all
}
