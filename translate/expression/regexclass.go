package expression

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// class reads a bracketed class. In Rust, an inner [ opens a nested class, && -- ~~ are set
// operations, and fewer positions allow a literal -: here the first and the last.
func (s *regexScanner) class() error {
	s.pos++
	s.pos += len(s.prefix("^"))
	first := s.pos
	s.pos += len(s.prefix("]"))
	ranges := false // whether a - here makes a range with the character before it
	for s.pos < len(s.src) {
		var err error
		switch {
		case s.src[s.pos] == ']':
			s.pos++
			return nil
		case s.isSetOperation():
			return fmt.Errorf("%s in a character class, which is a set operation in Kong", s.src[s.pos:s.pos+2])
		case s.prefix("-]") != "" || s.src[s.pos] == '-' && s.pos == first:
			s.pos++
			ranges = false
		case s.src[s.pos] == '-' && !ranges:
			return errors.New(`unescaped - in a character class after a class or a range; write \-`)
		case s.src[s.pos] == '-':
			s.pos++
			ranges = false
			err = s.rangeEnd()
		default:
			ranges, err = s.classItem()
		}
		if err != nil {
			return err
		}
	}
	return errors.New("missing ]")
}

func (s *regexScanner) isSetOperation() bool {
	return s.prefix("&&")+s.prefix("--")+s.prefix("~~") != ""
}

func (s *regexScanner) rangeEnd() error {
	single, err := s.classItem()
	if err == nil && !single {
		return errors.New("a range in a character class ends in a class")
	}
	return err
}

// classItem reads one character, in which case single is true, or a class such as \d or
// [:alpha:].
func (s *regexScanner) classItem() (single bool, err error) {
	switch {
	case s.src[s.pos] == '\\':
		single = strings.IndexByte("dDsSwWpP", s.src[s.pos+1]) < 0
		return single, s.escape(true)
	case s.prefix("[:") != "":
		end := strings.Index(s.src[s.pos:], ":]")
		if end < 0 {
			break
		}
		s.pos += end + len(":]")
		return false, nil
	case s.src[s.pos] != '[':
		_, n := utf8.DecodeRuneInString(s.src[s.pos:])
		s.pos += n
		return true, nil
	}
	return false, errors.New(`unescaped [ in a character class, which starts a nested class in Kong; write \[`)
}
