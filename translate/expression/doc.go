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
//   - Text of a user is a literal and nothing else. Constructors quote it, and Parse
//     gives it back unchanged. Identifiers come from a list or from a constructor that
//     refuses what the grammar cannot say.
//   - One tree prints in one way, with every term of a group in parentheses, because
//     in Kong || binds tighter than &&: a || b && c is (a || b) && c.
//   - An expression that passes Validate loads into Kong. Constructors do not fail on
//     their values; call Validate before an expression leaves for Kong.
//   - Evaluation answers as Kong does for the same request, including what Kong keeps
//     of it for strip_path and for captures.
//
// # Evaluation
//
// A predicate over a field that the request lacks is false, != and not in included. If
// the field has several values, all must satisfy the predicate, or under any() one. &&
// and || go from left to right and stop when the result is known. Put first what fails
// most often.
//
// # Regular expressions
//
// Kong uses Rust's regex crate and this package Go's regexp. Matches accepts what
// both take and read alike, save the differences at the end. Neither has look-around or
// backreferences. Refused though one of them would take it:
//
//   - only in Rust: the flags x, u and R, \u and \U, {,n}, a repetition of a repetition
//     such as a**, \b{start} and its kin, groups of captures whose name has . or [ ];
//     set operations and nested classes
//   - only in Go: \Q…\E, \C, octal \123, \p{^Name}, a flag given twice, a name of a
//     group that starts with a digit, { as a character
//   - read differently: \< and \>, and in a class an unescaped [, two of & - ~, or a -
//     after a class, a range or a ] in front; flags that are repeated, (?i)*
//   - too large: repetitions above 1000 (Go), and what compiles to more than 10 MB (Rust)
//
// Both find the leftmost match and prefer the first alternative; both regard $ without
// the flag m as the very end. On text of ASCII they differ in \s only, which in Rust
// includes the vertical tab. Beyond ASCII, \d \w \s and \b know all of Unicode in Rust
// and ASCII in Go, so that Eval may differ from Kong there; and so may lower() of a Σ
// that ends a word.
package expression
