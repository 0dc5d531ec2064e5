package expression

import (
	"fmt"
	"net/netip"
	"strconv"
)

// What follows is in Kong's grammar, and the parser reads it. No route needs it.

// Greater is f > n.
func Greater(f IntField, n int64) Expr { return &intPredicate{f, opGreater, n} }

// GreaterOrEqual is f >= n.
func GreaterOrEqual(f IntField, n int64) Expr { return &intPredicate{f, opGreaterOrEqual, n} }

// LessOrEqual is f <= n.
func LessOrEqual(f IntField, n int64) Expr { return &intPredicate{f, opLessOrEqual, n} }

// EqualIP is f == addr. A zone is dropped: the grammar has none.
func EqualIP(f IPField, addr netip.Addr) Expr {
	return &ipPredicate{field: f, op: opEqual, addr: addr.WithZone("")}
}

// NotEqualIP is f != addr, false if the request has no such field.
func NotEqualIP(f IPField, addr netip.Addr) Expr {
	return &ipPredicate{field: f, op: opNotEqual, addr: addr.WithZone("")}
}

// NotIn is f not in block. An address of the other IP version is in no block, and
// with no address the predicate is false.
func NotIn(f IPField, block netip.Prefix) Expr {
	return &ipPredicate{field: f, op: opNotIn, block: block.Masked()}
}

// Always is true of every request, for a route without any constraint.
func Always() Expr { return NotEqual(NetProtocol, "") }

// PathSegments is the field of the path's segments first to last, both included and
// counted from 0, joined by '/': of /a/b/c, PathSegments(0, 0) is a and
// PathSegments(1, 2) is b/c. It is an error unless 0 <= first <= last.
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

// ValidateRegex returns why a regex is not one that Kong takes and reads as this package does.
func ValidateRegex(regex string) error {
	_, err := compiledSize(regex)
	return err
}
