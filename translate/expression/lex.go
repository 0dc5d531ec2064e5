package expression

import (
	"fmt"
	"strings"
)

// SyntaxError says where and why an expression does not parse.
type SyntaxError struct {
	Offset int    // in bytes from the start
	Reason string // what was expected, or what is wrong
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("offset %d: %s", e.Offset, e.Reason)
}

// scanner reads tokens of the grammar. It does not backtrack: as in Kong's parser, what an
// alternative has consumed stays consumed.
type scanner struct {
	src string
	pos int
}

func (s *scanner) space() {
	for s.pos < len(s.src) && strings.IndexByte(" \t\r\n", s.src[s.pos]) >= 0 {
		s.pos++
	}
}

func (s *scanner) has(token string) bool { return strings.HasPrefix(s.src[s.pos:], token) }

func (s *scanner) accept(token string) bool {
	if s.has(token) {
		s.pos += len(token)
		return true
	}
	return false
}

func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// while consumes up to most bytes that satisfy is and returns how many.
func (s *scanner) while(most int, is func(byte) bool) int {
	start := s.pos
	for s.pos < len(s.src) && s.pos-start < most && is(s.src[s.pos]) {
		s.pos++
	}
	return s.pos - start
}

func (s *scanner) failf(at int, format string, args ...any) error {
	return &SyntaxError{Offset: at, Reason: fmt.Sprintf(format, args...)}
}

func (s *scanner) expected(what string) error {
	return s.failf(s.pos, "expected %s", what)
}

// ident reads a letter followed by letters, digits, '_' and '.', or nothing.
func (s *scanner) ident() string {
	start := s.pos
	if isAlpha(s.peek()) {
		s.while(len(s.src), func(c byte) bool { return isWord(c) || c == '.' })
	}
	return s.src[start:s.pos]
}

// operators in the order Kong tries them.
var operators = [...]op{
	opEqual, opNotEqual, opMatch, opPrefix, opSuffix, opGreaterOrEqual,
	opGreater, opLessOrEqual, opLess, opIn, opNotIn, opContains,
}

// operator reads a comparison. Kong's grammar accepts any white space between not and in, and
// then crashes on anything but one space; here that is an error.
func (s *scanner) operator() (op, error) {
	for _, o := range operators {
		if s.accept(opText[o]) {
			return o, nil
		}
	}
	if s.has("not") {
		return 0, s.failf(s.pos, `expected "not in" with one space`)
	}
	return 0, s.expected("an operator (== != ~ ^= =^ > >= < <= in, not in, contains)")
}
