package expression

import (
	"net/netip"
	"slices"
)

// Expr is a node of an expression: a predicate, a conjunction, a disjunction or a
// negation. Nodes are immutable and may be shared. Equal trees print equally, so
// comparing String() compares expressions.
//
// A nil Expr stands for "no constraint".
type Expr interface {
	// String returns the expression in Kong's grammar. A tree has one canonical form.
	String() string
	// Append appends String() to dst and returns the extended slice.
	Append(dst []byte) []byte

	isExpr()
}

type (
	textPredicate struct {
		field Field
		op    op
		value string
		// compiled is the size of a regex's program, in bytes.
		compiled int
	}
	intPredicate struct {
		field IntField
		op    op
		value int64
	}
	// ipPredicate compares with an address or tests membership in a block.
	ipPredicate struct {
		field IPField
		op    op
		addr  netip.Addr   // opEqual, opNotEqual
		block netip.Prefix // opIn, opNotIn
	}
	// group is a conjunction or disjunction of two or more terms, none of which is a group of the
	// same kind.
	group struct {
		or    bool
		terms []Expr
	}
	negation struct{ term Expr }
)

func (*textPredicate) isExpr() {}
func (*intPredicate) isExpr()  {}
func (*ipPredicate) isExpr()   {}
func (*group) isExpr()         {}
func (*negation) isExpr()      {}

// op is a comparison.
type op uint8

const (
	opEqual op = iota
	opNotEqual
	opMatch
	opPrefix
	opSuffix
	opGreaterOrEqual
	opGreater
	opLessOrEqual
	opLess
	opIn
	opNotIn
	opContains
)

var opText = [...]string{
	opEqual: "==", opNotEqual: "!=", opMatch: "~", opPrefix: "^=", opSuffix: "=^",
	opGreaterOrEqual: ">=", opGreater: ">", opLessOrEqual: "<=", opLess: "<",
	opIn: "in", opNotIn: "not in", opContains: "contains",
}

// Equal is f == value.
func Equal(f Field, value string) Expr { return &textPredicate{field: f, op: opEqual, value: value} }

// NotEqual is f != value. Like every predicate, it is false if the request lacks the field,
// whereas Not(Equal(f, value)) is true.
func NotEqual(f Field, value string) Expr {
	return &textPredicate{field: f, op: opNotEqual, value: value}
}

// HasPrefix is f ^= prefix.
func HasPrefix(f Field, prefix string) Expr {
	return &textPredicate{field: f, op: opPrefix, value: prefix}
}

// HasSuffix is f =^ suffix.
func HasSuffix(f Field, suffix string) Expr {
	return &textPredicate{field: f, op: opSuffix, value: suffix}
}

// Contains is f contains part.
func Contains(f Field, part string) Expr {
	return &textPredicate{field: f, op: opContains, value: part}
}

// Matches is f ~ regex, true if any part of the value matches; anchor with ^ and $. The error
// names the part of the regex that Kong does not accept, or interprets differently.
func Matches(f Field, regex string) (Expr, error) {
	compiled, err := compiledSize(regex)
	if err != nil {
		return nil, err
	}
	return &textPredicate{field: f, op: opMatch, value: regex, compiled: compiled}, nil
}

// EqualInt is f == n.
func EqualInt(f IntField, n int64) Expr { return &intPredicate{f, opEqual, n} }

// NotEqualInt is f != n, false if the request lacks the field.
func NotEqualInt(f IntField, n int64) Expr { return &intPredicate{f, opNotEqual, n} }

// Less is f < n.
func Less(f IntField, n int64) Expr { return &intPredicate{f, opLess, n} }

// In is f in block. It clears the host bits, which Kong refuses.
func In(f IPField, block netip.Prefix) Expr {
	return &ipPredicate{field: f, op: opIn, block: block.Masked()}
}

// Never is false for all requests, like an empty disjunction.
func Never() Expr { return Equal(NetProtocol, "") }

// And is the conjunction of terms. It drops nil terms, which constrain nothing, and merges nested
// conjunctions: And() is nil, And(a) is a, And(a, And(b, c)) is And(a, b, c).
func And(terms ...Expr) Expr {
	flat := flatten(false, terms)
	switch len(flat) {
	case 0:
		return nil
	case 1:
		return flat[0]
	}
	return &group{false, flat}
}

// Or is the disjunction of terms. It merges nested disjunctions, and is nil if any term is nil,
// because that constrains nothing: Or() is Never(), Or(a) is a, Or(a, nil) is nil.
func Or(terms ...Expr) Expr {
	if slices.Contains(terms, nil) {
		return nil
	}
	flat := flatten(true, terms)
	switch len(flat) {
	case 0:
		return Never()
	case 1:
		return flat[0]
	}
	return &group{true, flat}
}

// Not is the negation of term. Not(nil) is Never(), Not(Not(a)) is a.
func Not(term Expr) Expr {
	switch t := term.(type) {
	case nil:
		return Never()
	case *negation:
		return t.term
	}
	return &negation{term}
}

// flatten copies terms without nils, and replaces groups of the same kind with their terms. It
// keeps the order of evaluation.
func flatten(or bool, terms []Expr) []Expr {
	n := 0
	for _, t := range terms {
		if g, ok := t.(*group); ok && g.or == or {
			n += len(g.terms)
		} else if t != nil {
			n++
		}
	}
	flat := make([]Expr, 0, n)
	for _, t := range terms {
		if g, ok := t.(*group); ok && g.or == or {
			flat = append(flat, g.terms...)
		} else if t != nil {
			flat = append(flat, t)
		}
	}
	return flat
}
