package expression

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
)

// maxGroups bounds the nesting of groups in a regex. Kong's engine refuses syntax trees deeper
// than 250, and a group takes up to four levels.
const maxGroups = 50

// compiledSize returns the size of Kong's program for a regex, in bytes. The error says what is
// not in the common syntax of Rust and Go. doc.go lists the differences.
func compiledSize(regex string) (size int, err error) {
	if err := checkReadable(regex); err != nil {
		return 0, fmt.Errorf("regex %s: %w", quote(regex), err)
	}
	tree, err := syntax.Parse(regex, syntax.Perl)
	if err != nil {
		return 0, fmt.Errorf("regex %s: %s", quote(regex), describe(err))
	}
	if name, ok := repeatedName(tree); ok {
		return 0, fmt.Errorf("regex %s: two groups are named %s", quote(regex), name)
	}
	s := regexScanner{src: regex}
	if err := s.scan(); err != nil {
		return 0, fmt.Errorf("regex %s: %w", quote(regex), err)
	}
	if size = regexSize(regex, tree); size > maxRegexSize {
		return 0, fmt.Errorf("regex %s: compiles to more than Kong's limit of 10 MB", quote(regex))
	}
	return size, nil
}

// describe returns the error without the package's prefix, and more clearly for look-around,
// which Go calls an unknown group.
func describe(err error) string {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	for _, open := range [...]string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(e.Expr, open) {
			return "look-around " + open + " is not supported"
		}
	}
	if len(e.Expr) == 2 && e.Expr[0] == '\\' && '1' <= e.Expr[1] && e.Expr[1] <= '9' {
		return "backreference " + e.Expr + " is not supported"
	}
	return string(e.Code) + ": " + clipped(e.Expr)
}

func repeatedName(tree *syntax.Regexp) (string, bool) {
	seen := map[string]bool{}
	for _, name := range tree.CapNames() {
		if name != "" && seen[name] {
			return name, true
		}
		seen[name] = true
	}
	return "", false
}

// regexScanner scans a regex that Go accepts, and refuses what Rust refuses or interprets
// differently.
type regexScanner struct {
	src string
	pos int
}

func (s *regexScanner) scan() error {
	depth := 0
	for s.pos < len(s.src) {
		var err error
		switch s.src[s.pos] {
		case '\\':
			err = s.escape(false)
		case '[':
			err = s.class()
		case '(':
			if depth++; depth > maxGroups {
				return fmt.Errorf("groups nest deeper than %d", maxGroups)
			}
			err = s.group()
		case ')':
			depth--
			s.pos++
		case '{':
			err = s.repetition()
		default:
			s.pos++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sharedEscapes are the escaped letters with the same meaning in Rust and Go.
const (
	sharedEscapes      = "dDsSwWpPxafnrtv"
	sharedEscapesText  = sharedEscapes + "bBAz"
	notEscapableInRust = "<>"
)

func (s *regexScanner) escape(inClass bool) error {
	c := s.src[s.pos+1]
	shared := sharedEscapesText
	if inClass {
		shared = sharedEscapes
	}
	switch {
	case isAlpha(c) || isDigit(c):
		if strings.IndexByte(shared, c) < 0 {
			return fmt.Errorf(`escape \%c is not known to Kong`, c)
		}
	case strings.IndexByte(notEscapableInRust, c) >= 0:
		return fmt.Errorf(`escape \%c is a word boundary to Kong; write %c`, c, c)
	}
	s.pos += 2
	if c == 'p' || c == 'P' {
		return s.property()
	}
	if c == 'x' && s.pos < len(s.src) && s.src[s.pos] == '{' {
		return s.skipPast('}')
	}
	return nil
}

// property reads the name after \p. Go also negates with \p{^Name}; Rust has only \P{Name}.
func (s *regexScanner) property() error {
	if s.pos < len(s.src) && s.src[s.pos] != '{' {
		s.pos++
		return nil
	}
	if strings.HasPrefix(s.src[s.pos:], "{^") {
		return fmt.Errorf(`\p{^…} is not known to Kong; write \P{…}`)
	}
	return s.skipPast('}')
}

func (s *regexScanner) skipPast(c byte) error {
	i := strings.IndexByte(s.src[s.pos:], c)
	if i < 0 {
		return fmt.Errorf("missing %c", c)
	}
	s.pos += i + 1
	return nil
}

// prefix returns p if the rest starts with it, else "".
func (s *regexScanner) prefix(p string) string {
	if strings.HasPrefix(s.src[s.pos:], p) {
		return p
	}
	return ""
}

// group reads what follows an opening parenthesis: a name or flags.
func (s *regexScanner) group() error {
	s.pos++
	if s.prefix("?") == "" {
		return nil
	}
	s.pos++
	if s.prefix("P<")+s.prefix("<") != "" {
		s.pos += strings.IndexByte(s.src[s.pos:], '<') + 1
		if isDigit(s.src[s.pos]) {
			return fmt.Errorf("group name starts with a digit")
		}
		return s.skipPast('>')
	}
	seen := ""
	for s.pos < len(s.src) && s.src[s.pos] != ')' && s.src[s.pos] != ':' {
		c := s.src[s.pos]
		if strings.IndexByte(seen, c) >= 0 {
			return fmt.Errorf("flag %c is repeated", c)
		}
		seen += string(c)
		s.pos++
	}
	if strings.HasSuffix(seen, "-") || seen == "" && s.prefix(")") != "" {
		return fmt.Errorf("flags are missing")
	}
	return s.flagsEnd() // the scan goes on at ) or :
}

// flagsEnd refuses a repetition operator after flags, as in a(?i)*. Go would repeat what precedes
// the flags.
func (s *regexScanner) flagsEnd() error {
	if s.prefix(")") == "" || s.pos+1 == len(s.src) {
		return nil
	}
	if c := s.src[s.pos+1]; strings.IndexByte("*+?{", c) >= 0 {
		return fmt.Errorf("%c after flags repeats nothing", c)
	}
	return nil
}

// repetition reads a {. Go takes a { that starts no counted repetition literally; Rust refuses it.
func (s *regexScanner) repetition() error {
	end := strings.IndexByte(s.src[s.pos:], '}')
	if end > 0 {
		low, high, two := strings.Cut(s.src[s.pos+1:s.pos+end], ",")
		if allDigits(low) && low != "" && (!two || allDigits(high)) {
			s.pos += end + 1
			return nil
		}
	}
	return fmt.Errorf(`unescaped { that is not a repetition; write \{`)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
