package expression

import (
	"fmt"
	"net/netip"
	"strconv"
)

// These constructors cover the parts of Kong's grammar that no route needs, for tests of the
// parser.

// Greater is f > n.
func Greater(f IntField, n int64) Expr { return &intPredicate{f, opGreater, n} }

// GreaterOrEqual is f >= n.
func GreaterOrEqual(f IntField, n int64) Expr { return &intPredicate{f, opGreaterOrEqual, n} }

// LessOrEqual is f <= n.
func LessOrEqual(f IntField, n int64) Expr { return &intPredicate{f, opLessOrEqual, n} }

// EqualIP is f == addr. It drops a zone, which the grammar lacks.
func EqualIP(f IPField, addr netip.Addr) Expr {
	return &ipPredicate{field: f, op: opEqual, addr: addr.WithZone("")}
}

// NotEqualIP is f != addr, false if the request lacks the field.
func NotEqualIP(f IPField, addr netip.Addr) Expr {
	return &ipPredicate{field: f, op: opNotEqual, addr: addr.WithZone("")}
}

// NotIn is f not in block, true for an address of the other IP version, and false if the request
// lacks the field.
func NotIn(f IPField, block netip.Prefix) Expr {
	return &ipPredicate{field: f, op: opNotIn, block: block.Masked()}
}

// Always is true for every request, for a route without constraints.
func Always() Expr { return NotEqual(NetProtocol, "") }

// PathSegments returns the field of the path's segments first to last, inclusive and counted from
// 0, joined by '/': for /a/b/c, PathSegments(0, 0) is a and PathSegments(1, 2) is b/c. It is an
// error unless 0 <= first <= last.
func PathSegments(first, last int) (Field, error) {
	if first < 0 || last < first {
		return Field{}, fmt.Errorf("path segments %d to %d: need 0 <= first <= last", first, last)
	}
	name := segmentPrefix + strconv.Itoa(first)
	if last > first {
		name += "_" + strconv.Itoa(last)
	}
	return Field{name: name}, nil
}

// ValidateRegex returns an error if Kong does not accept a regex with the meaning that it has
// here.
func ValidateRegex(regex string) error {
	_, err := compiledSize(regex)
	return err
}
