// Package expression builds, prints, parses and evaluates the expressions of Kong
// Gateway 3.9's router (router_flavor = expressions).
//
//	path := expression.Or(
//		expression.Equal(expression.HTTPPath, "/foo"),
//		expression.HasPrefix(expression.HTTPPath, "/foo/"))
//	e := expression.And(expression.Equal(expression.HTTPHost, "a.example"), path)
//	e.String() // (http.host == "a.example") && ((http.path == "/foo") || (http.path ^= "/foo/"))
//
// # Contract
//
//   - User text can only be a literal. Constructors quote it, and Parse returns it
//     unchanged. Identifiers come from a list or from a constructor that refuses what
//     the grammar cannot express.
//   - A tree prints in exactly one way, with every term of a group in parentheses, because
//     in Kong || binds tighter than &&: a || b && c is (a || b) && c.
//   - An expression that passes Validate loads into Kong. Constructors do not check
//     their values; call Validate before sending an expression to Kong.
//   - Evaluation has the same result as Kong for the same request, including what Kong
//     keeps for strip_path and captures.
//
// # Evaluation
//
// A predicate over a field that the request lacks is false, including != and not in. If the field
// has several values, all must satisfy the predicate, or one with any(). && and || evaluate from
// left to right and stop when the result is known, so put first what fails most often.
//
// # Regular expressions
//
// Kong uses Rust's regex crate, and this package uses Go's regexp. Matches accepts what both
// accept with the same meaning, except for the differences at the end. Neither supports
// look-around or backreferences. These are refused although one of them accepts them:
//
//   - only in Rust: the flags x, u and R, \u and \U, {,n}, a repetition of a repetition
//     such as a**, \b{start} and its kin, groups of captures whose name has . or [ ];
//     set operations and nested classes
//   - only in Go: \Q…\E, \C, octal \123, \p{^Name}, a flag given twice, a name of a
//     group that starts with a digit, { as a character
//   - different meaning: \< and \>, and in a class an unescaped [, two of & - ~, or a -
//     after a class, a range or a ] in front; flags that are repeated, (?i)*
//   - too large: repetitions above 1000 (Go), and programs of more than 10 MB (Rust)
//
// Both find the leftmost match and prefer the first alternative, and in both $ without the flag m
// is the very end. In ASCII text they only differ in \s, which includes the vertical tab in Rust.
// Beyond ASCII, \d \w \s and \b cover Unicode in Rust and ASCII in Go, so Eval may differ from
// Kong, as may lower() of a final Σ.
package expression
