package expression

import (
	"regexp/syntax"
	"unicode/utf8"
)

// maxRegexSize bounds regexSize. TODO calibrate
const maxRegexSize = 50000

// regexSize estimates how many states the regex takes in Kong's engine, which works on
// bytes of UTF-8.
func regexSize(re *syntax.Regexp) int {
	size := 1
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			size += utf8.RuneLen(r)
		}
	case syntax.OpCharClass:
		size += len(re.Rune) * utf8.UTFMax
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		size += 20
	}
	for _, sub := range re.Sub {
		size = addSize(size, regexSize(sub))
	}
	if re.Op == syntax.OpRepeat {
		return mulSize(size, max(re.Min, re.Max, 1))
	}
	return size
}

func addSize(a, b int) int { return min(a+b, maxRegexSize+1) }
func mulSize(a, b int) int { return min(a*b, maxRegexSize+1) }
