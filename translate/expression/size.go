package expression

// What an expression takes in the router of one of Kong's workers, in bytes, rounded up from
// what workers took. Building it takes about 50 milliseconds for each megabyte.
const (
	sizeTerm     = 200
	sizeTextByte = 8
	// sizeRegexTimes is the number of copies of a regex's program in an engine, in various forms.
	sizeRegexTimes = 3
)

// LeastRegex is the minimum size of a regular expression in a router, in bytes.
const LeastRegex = 6 << 10

// Terms returns the number of comparisons in e. Kong's parser and interpreter recurse over them,
// and a worker's stack overflows at some ten thousands.
func Terms(e Expr) int {
	switch e := e.(type) {
	case nil:
		return 0
	case *group:
		n := 0
		for _, t := range e.terms {
			n += Terms(t)
		}
		return n
	case *negation:
		return Terms(e.term)
	}
	return 1
}

// Size estimates the size of e, whose String is text, in a router, in bytes.
func Size(e Expr, text string) int {
	return sizeTextByte*len(text) + sizeTerm*Terms(e) + regexes(e)
}

// regexes returns the part of regular expressions in the size.
func regexes(e Expr) int {
	size := 0
	switch e := e.(type) {
	case *group:
		for _, t := range e.terms {
			size += regexes(t)
		}
	case *negation:
		return regexes(e.term)
	case *textPredicate:
		if e.op == opMatch {
			return LeastRegex + sizeRegexTimes*e.compiled
		}
	}
	return size
}
