package expression

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Match is what Kong keeps of a match for use after the routing.
type Match struct {
	// Path is what strip_path removes from the start of the path: the literal of the last ==, ^=
	// or =^ over http.path that was true, or what its regex matched, even if the enclosing term
	// is false. It may be empty.
	Path string

	// Captures are the groups of all regexes that matched, for any field, by number from "0" and
	// by name. A group without a match is missing. It is nil without a regex. Kong provides them
	// as URI captures if there are two or more.
	Captures map[string]string
}

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct{ root node }

// Compile prepares e for evaluation. The error is that of [Validate].
func Compile(e Expr) (*Program, error) {
	if err := Validate(e); err != nil {
		return nil, err
	}
	root, err := compile(e)
	if err != nil {
		return nil, err
	}
	return &Program{root}, nil
}

// Eval reports whether the expression is true for r, and what it matched.
func (p *Program) Eval(r *Request) (Match, bool) {
	var m Match
	if !eval(p.root, r, &m) {
		return Match{}, false
	}
	return m, true
}

// Eval compiles e and evaluates it once. An expression that does not compile is false.
func Eval(e Expr, r *Request) (Match, bool) {
	p, err := Compile(e)
	if err != nil {
		return Match{}, false
	}
	return p.Eval(r)
}

// node is one of the types below. It has no method for evaluation, because a call through an
// interface would move every Match to the heap.
type node interface{ isNode() }

type (
	allNode  []node
	anyNode  []node
	notNode  struct{ term node }
	textNode struct {
		reader     textReader
		op         op
		lower, any bool
		value      string
		regex      *regexp.Regexp // opMatch
	}
	intNode struct {
		field string
		op    op
		value int64
	}
	ipNode struct {
		field string
		op    op
		addr  netip.Addr
		block netip.Prefix
	}
)

func compile(e Expr) (node, error) {
	switch e := e.(type) {
	case *textPredicate:
		return compileText(e)
	case *intPredicate:
		return &intNode{e.field.name, e.op, e.value}, nil
	case *ipPredicate:
		return &ipNode{e.field.name, e.op, e.addr, e.block}, nil
	case *negation:
		term, err := compile(e.term)
		return notNode{term}, err
	case *group:
		nodes := make([]node, len(e.terms))
		for i, t := range e.terms {
			var err error
			if nodes[i], err = compile(t); err != nil {
				return nil, err
			}
		}
		if e.or {
			return anyNode(nodes), nil
		}
		return allNode(nodes), nil
	}
	return nil, errNil
}

func compileText(e *textPredicate) (node, error) {
	n := &textNode{
		reader: newTextReader(e.field.name), op: e.op,
		lower: e.field.lower, any: e.field.any, value: e.value,
	}
	if e.op == opMatch {
		re, err := regexp.Compile(e.value)
		if err != nil {
			return nil, err
		}
		n.regex = re
	}
	return n, nil
}

func (allNode) isNode()   {}
func (anyNode) isNode()   {}
func (notNode) isNode()   {}
func (*textNode) isNode() {}
func (*intNode) isNode()  {}
func (*ipNode) isNode()   {}

// eval reports whether n is true for r, and records in m what its predicates matched.
func eval(n node, r *Request, m *Match) bool {
	switch n := n.(type) {
	case *textNode:
		return n.eval(r, m)
	case *intNode:
		return n.eval(r)
	case *ipNode:
		return n.eval(r)
	case allNode:
		for _, t := range n {
			if !eval(t, r, m) {
				return false
			}
		}
		return true
	case anyNode:
		for _, t := range n {
			if eval(t, r, m) {
				return true
			}
		}
		return false
	case notNode:
		return !eval(n.term, r, m)
	}
	return false
}

func (n *textNode) eval(r *Request, m *Match) bool {
	one, many, ok := n.reader.read(r)
	if !ok {
		return false
	}
	if many == nil {
		return n.test(one, m)
	}
	for _, v := range many {
		if n.test(v, m) == n.any {
			return n.any // the first to hold under any(), the first to fail otherwise
		}
	}
	return !n.any
}

// test compares one value and records what Kong records.
func (n *textNode) test(v string, m *Match) bool {
	if n.lower {
		v = toLower(v)
	}
	switch n.op {
	case opEqual:
		return v == n.value && n.record(m, n.value)
	case opNotEqual:
		return v != n.value
	case opPrefix:
		return strings.HasPrefix(v, n.value) && n.record(m, n.value)
	case opSuffix:
		return strings.HasSuffix(v, n.value) && n.record(m, n.value)
	case opContains:
		return strings.Contains(v, n.value)
	}
	found := n.regex.FindStringSubmatchIndex(v)
	return found != nil && n.record(m, v[found[0]:found[1]]) && n.capture(m, v, found)
}

// record always returns true.
func (n *textNode) record(m *Match, matched string) bool {
	if n.reader.source == fromPath {
		m.Path = matched
	}
	return true
}

// capture always returns true.
func (n *textNode) capture(m *Match, v string, found []int) bool {
	if m.Captures == nil {
		m.Captures = make(map[string]string, len(found)/2)
	}
	names := n.regex.SubexpNames()
	for i, name := range names {
		if found[2*i] < 0 {
			continue
		}
		text := v[found[2*i]:found[2*i+1]]
		m.Captures[strconv.Itoa(i)] = text
		if name != "" {
			m.Captures[name] = text
		}
	}
	return true
}

func (n *intNode) eval(r *Request) bool {
	var v int64
	switch n.field {
	case NetSrcPort.name:
		v = int64(r.SrcPort)
	case NetDstPort.name:
		v = int64(r.DstPort)
	default:
		return r.Path != "" && n.test(int64(segmentCount(r.Path)))
	}
	return v != 0 && n.test(v)
}

func (n *intNode) test(v int64) bool {
	switch n.op {
	case opEqual:
		return v == n.value
	case opNotEqual:
		return v != n.value
	case opGreater:
		return v > n.value
	case opGreaterOrEqual:
		return v >= n.value
	case opLess:
		return v < n.value
	}
	return v <= n.value
}

func (n *ipNode) eval(r *Request) bool {
	v := r.SrcIP
	if n.field == NetDstIP.name {
		v = r.DstIP
	}
	if !v.IsValid() {
		return false
	}
	v = v.WithZone("")
	switch n.op {
	case opEqual:
		return v == n.addr
	case opNotEqual:
		return v != n.addr
	case opIn:
		return contains(n.block, v)
	}
	return !contains(n.block, v)
}

// contains also treats an IPv4 address embedded in an IPv6 one as the latter, which netip does
// not.
func contains(block netip.Prefix, v netip.Addr) bool {
	if v.Is4() != block.Addr().Is4() {
		return false
	}
	inside, err := v.Prefix(block.Bits())
	return err == nil && inside.Addr() == block.Addr()
}
