package expression

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// buffers are reused, so that a string costs one allocation of its size.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func toString(e Expr) string {
	buf := buffers.Get().(*[]byte)
	*buf = e.Append((*buf)[:0])
	s := string(*buf)
	buffers.Put(buf)
	return s
}

func (p *textPredicate) String() string { return toString(p) }
func (p *intPredicate) String() string  { return toString(p) }
func (p *ipPredicate) String() string   { return toString(p) }
func (g *group) String() string         { return toString(g) }
func (n *negation) String() string      { return toString(n) }

// Append implements Expr.
func (p *textPredicate) Append(dst []byte) []byte {
	dst = p.field.append(dst)
	dst = appendOp(dst, p.op)
	return appendLiteral(dst, p.value)
}

// Append implements Expr.
func (p *intPredicate) Append(dst []byte) []byte {
	dst = p.field.append(dst)
	dst = appendOp(dst, p.op)
	return strconv.AppendInt(dst, p.value, 10)
}

// Append implements Expr.
func (p *ipPredicate) Append(dst []byte) []byte {
	dst = p.field.append(dst)
	dst = appendOp(dst, p.op)
	if p.op == opEqual || p.op == opNotEqual {
		return appendAddr(dst, p.addr)
	}
	dst = appendAddr(dst, p.block.Addr())
	dst = append(dst, '/')
	return strconv.AppendInt(dst, int64(p.block.Bits()), 10)
}

// Append encloses every term in parentheses, even if Kong's precedence does not require them: in
// Kong || binds tighter than &&, which surprises readers.
func (g *group) Append(dst []byte) []byte {
	sep := " && "
	if g.or {
		sep = " || "
	}
	for i, t := range g.terms {
		if i > 0 {
			dst = append(dst, sep...)
		}
		dst = append(dst, '(')
		dst = t.Append(dst)
		dst = append(dst, ')')
	}
	return dst
}

// Append implements Expr.
func (n *negation) Append(dst []byte) []byte {
	dst = append(dst, "!("...)
	dst = n.term.Append(dst)
	return append(dst, ')')
}

func (f Field) append(dst []byte) []byte {
	if f.any {
		dst = append(dst, "any("...)
	}
	if f.lower {
		dst = append(dst, "lower("...)
	}
	dst = append(dst, f.name...)
	if f.lower {
		dst = append(dst, ')')
	}
	if f.any {
		dst = append(dst, ')')
	}
	return dst
}

func (f IntField) append(dst []byte) []byte { return Field{name: f.name, any: f.any}.append(dst) }
func (f IPField) append(dst []byte) []byte  { return Field{name: f.name, any: f.any}.append(dst) }

func appendOp(dst []byte, o op) []byte {
	dst = append(dst, ' ')
	dst = append(dst, opText[o]...)
	return append(dst, ' ')
}

// appendLiteral quotes s. The grammar only has these five escapes; every other character stands
// for itself. Invalid UTF-8 becomes U+FFFD, because it would crash a Kong worker.
func appendLiteral(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		var esc byte
		switch s[i] {
		case '"', '\\':
			esc = s[i]
		case '\n':
			esc = 'n'
		case '\r':
			esc = 'r'
		case '\t':
			esc = 't'
		default:
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, '\\', esc)
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// appendAddr also writes an IPv4 address embedded in an IPv6 one in hexadecimal, because the
// grammar has no dots in IPv6 addresses.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if !a.Is4In6() {
		return a.AppendTo(dst)
	}
	b := a.As16()
	dst = append(dst, "::ffff:"...)
	dst = strconv.AppendUint(dst, uint64(b[12])<<8|uint64(b[13]), 16)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(b[14])<<8|uint64(b[15]), 16)
}
