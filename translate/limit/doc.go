// Package limit holds the bounds on the configuration that users' objects make.
//
// Kong accepts any size of configuration, and some of it stops a worker for minutes or kills it.
// The translation therefore refuses what is too large before Kong sees it, with a verdict that
// names the bound, the value and the setting that raises it. Every default is far above what
// people write and far below what harms a worker; the rows of the table say what was measured.
//
// Bounds fail closed: a route with a plugin beyond a bound answers 503, and a match beyond one is
// not served.
package limit
