package expression

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// maxRegexSize bounds regexSize, in bytes. It is slightly below the 10 MiB that Kong's engine
// allows for a compiled regex.
const maxRegexSize = 10_000_000

// The sizes of the parts of a regex in Kong's engine, in bytes, rounded up from measurements with
// the largest repetitions that it compiles.
const (
	sizeNode     = 100
	sizeByte     = 64  // of a literal in UTF-8
	sizeRange    = 80  // of a class
	sizeWide     = 512 // more for a class beyond ASCII
	sizeWord     = 20_500
	sizeDigit    = 2_400
	sizeSpace    = 900
	sizeProperty = 19_000
)

// regexSize estimates the compiled size of src. Classes such as \w are Unicode in Kong but ASCII
// in the tree, so in a regex with \w every class is counted as one.
func regexSize(src string, tree *syntax.Regexp) int {
	class := 0
	for _, c := range [...]struct {
		escapes [2]string
		size    int
	}{
		{[2]string{`\w`, `\W`}, sizeWord},
		{[2]string{`\d`, `\D`}, sizeDigit},
		{[2]string{`\s`, `\S`}, sizeSpace},
		{[2]string{`\p`, `\P`}, sizeProperty},
	} {
		if strings.Contains(src, c.escapes[0]) || strings.Contains(src, c.escapes[1]) {
			class += c.size
		}
	}
	return treeSize(tree, class)
}

func treeSize(re *syntax.Regexp, class int) int {
	size := sizeNode
	switch re.Op {
	case syntax.OpLiteral:
		size += literalSize(re)
	case syntax.OpCharClass:
		size += class + len(re.Rune)/2*sizeRange
		if n := len(re.Rune); n > 0 && re.Rune[n-1] >= utf8.RuneSelf {
			size += sizeWide
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		size += sizeWide
	}
	for _, sub := range re.Sub {
		size = min(size+treeSize(sub, class), maxRegexSize+1)
	}
	if re.Op == syntax.OpRepeat {
		size = min(size*max(re.Min, re.Max, 1), maxRegexSize+1)
	}
	return size
}

func literalSize(re *syntax.Regexp) int {
	size := 0
	for _, r := range re.Rune {
		size += utf8.RuneLen(r) * sizeByte
	}
	if re.Flags&syntax.FoldCase != 0 {
		size *= 3
	}
	return size
}
