package expression

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of negations and groups. Kong parses by recursion and has no bound
// of its own.
const maxDepth = 200

// Validate returns an error if Kong's HTTP router does not accept e. The constructors' types
// leave few cases: a zero Field, address or block, an integer that the grammar cannot express,
// invalid UTF-8, a NUL, at which Kong stops reading, and text that Kong rewrites. A nil e is an
// error, because Kong requires an expression.
func Validate(e Expr) error {
	return validate(e, false, 0)
}

// ValidateStream is Validate for the router of TCP, UDP and TLS routes, which has no HTTP fields.
func ValidateStream(e Expr) error {
	return validate(e, true, 0)
}

var (
	errNil     = errors.New("no expression")
	errDepth   = fmt.Errorf("nested deeper than %d", maxDepth)
	errNUL     = errors.New("text contains a NUL byte, where Kong ends the expression")
	errUTF8    = errors.New("text is not UTF-8")
	errRewrite = errors.New("text contains net.port followed by =, <, > or !, which Kong changes to net.dst.port also inside text")
)

func validate(e Expr, stream bool, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch e := e.(type) {
	case *textPredicate:
		return errors.Join(checkField(e.field.name, kindString, stream), e.check())
	case *intPredicate:
		if e.value == math.MinInt64 {
			return fmt.Errorf("integer %d: Kong reads none below %d", e.value, math.MinInt64+1)
		}
		return checkField(e.field.name, kindInt, stream)
	case *ipPredicate:
		if !e.addr.IsValid() && !e.block.IsValid() {
			return fmt.Errorf("%s %s: no IP address or block", e.field, opText[e.op])
		}
		return checkField(e.field.name, kindIP, stream)
	case *group:
		for _, t := range e.terms {
			if err := validate(t, stream, depth+1); err != nil {
				return err
			}
		}
		return nil
	case *negation:
		return validate(e.term, stream, depth+1)
	}
	return errNil
}

func checkField(name string, want kind, stream bool) error {
	got, err := fieldKind(name)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("field %s is %s", name, got)
	}
	if stream && !fixedFields[name].stream {
		return fmt.Errorf("field %s does not exist in the stream router", name)
	}
	return nil
}

// check checks the text. The constructor has checked a regex.
func (p *textPredicate) check() error {
	if p.op == opMatch && p.compiled > 0 {
		return nil
	}
	if err := checkReadable(p.value); err != nil {
		return fmt.Errorf("%s: %w", quote(p.value), err)
	}
	return nil
}

// mostQuoted is the maximum length of a quoted text in an error, in bytes.
const mostQuoted = 100

// quote returns a text in quotes, truncated if it is long.
func quote(s string) string {
	if len(s) <= mostQuoted {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%s of %d bytes", strconv.Quote(clipped(s)), len(s))
}

func clipped(s string) string {
	if len(s) <= mostQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:mostQuoted], "") + "…"
}

// checkReadable returns an error for text that Kong would not read unchanged.
func checkReadable(s string) error {
	switch {
	case !utf8.ValidString(s):
		return errUTF8
	case strings.IndexByte(s, 0) >= 0:
		return errNUL
	case isRewritten(s):
		return errRewrite
	}
	return nil
}

// isRewritten reports whether Kong would change the literal s when it replaces the old field
// net.port in the text of an expression. Kong looks for net.port, white space, and the first
// character of a comparison.
func isRewritten(s string) bool {
	const old = "net.port"
	for {
		i := strings.Index(s, old)
		if i < 0 {
			return false
		}
		s = s[i+len(old):]
		if rest := strings.TrimLeft(s, " \f\v"); rest != "" && strings.IndexByte("=><!", rest[0]) >= 0 {
			return true
		}
	}
}
