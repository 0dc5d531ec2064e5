package expression

import (
	"iter"
	"strconv"
)

// Conjuncts returns the terms that must all be true for the expression to be true. It returns nil
// for nil.
func Conjuncts(e Expr) []Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case *group:
		if !e.or {
			return e.terms
		}
	}
	return []Expr{e}
}

// False returns the indexes of the [Conjuncts] of the program's expression that are false for a
// request, in order.
func (p *Program) False(r *Request) (indexes []int) {
	terms, ok := p.root.(allNode)
	if !ok {
		terms = allNode{p.root}
	}
	var m Match
	for i, term := range terms {
		if !eval(term, r, &m) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// Predicate is a comparison in an expression.
type Predicate struct {
	// Field is the field without transformations, such as "http.host".
	Field string
	// Operator is that of Kong's grammar, such as "^=".
	Operator string
	Value    string
	// Negated is whether the comparison is within an odd number of negations.
	Negated bool
}

// Predicates yields the comparisons in an expression, in order.
func Predicates(e Expr) iter.Seq[Predicate] {
	return func(yield func(Predicate) bool) { visit(e, false, yield) }
}

func visit(e Expr, negated bool, yield func(Predicate) bool) bool {
	switch e := e.(type) {
	case *group:
		for _, term := range e.terms {
			if !visit(term, negated, yield) {
				return false
			}
		}
	case *negation:
		return visit(e.term, !negated, yield)
	case *textPredicate:
		return yield(Predicate{e.field.name, opText[e.op], e.value, negated})
	case *intPredicate:
		return yield(Predicate{e.field.name, opText[e.op], strconv.FormatInt(e.value, 10), negated})
	case *ipPredicate:
		value := e.block.String()
		if e.op == opEqual || e.op == opNotEqual {
			value = e.addr.String()
		}
		return yield(Predicate{e.field.name, opText[e.op], value, negated})
	}
	return true
}
