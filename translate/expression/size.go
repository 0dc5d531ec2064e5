package expression

// The memory of an expression in the router of one Kong worker, in bytes: measured, and rounded up.
// Building the router takes about 50 milliseconds for each megabyte.
const (
	sizeTerm     = 200
	sizeTextByte = 8
	// sizeRegexTimes is how many times a regex engine holds the program of a regex, in various
	// forms.
	sizeRegexTimes = 3
)

// LeastRegex is the minimum size of a regular expression in a router, in bytes.
const LeastRegex = 6 << 10

// Terms returns the number of comparisons in e. Kong's parser and interpreter recurse over them,
// and a worker's stack overflows at tens of thousands.
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

// Size estimates the memory of e in a router, in bytes. The text must be that of e.String().
func Size(e Expr, text string) int {
	return sizeTextByte*len(text) + sizeTerm*Terms(e) + regexes(e)
}

// regexes returns how much of the size is due to regular expressions, in bytes.
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
