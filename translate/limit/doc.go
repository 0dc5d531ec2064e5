// Package limit is the table of bounds on what users' objects make of the configuration.
//
// Kong takes whatever it is sent, and some of it stops a worker for minutes or kills it. So
// the translation refuses what is larger than Kong can bear before Kong sees it, and gives
// a verdict that names the bound, the value and the setting that raises it. Every default
// is far above what people write and far below what harms a worker: the rows of the table
// say what was measured.
//
// What exceeds a bound fails closed: a route whose plugin does answers 503, and a match that
// does is not served.
package limit
