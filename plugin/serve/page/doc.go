// Package page serves the status page: a view of package inspect in HTML, for people.
//
// The page is off unless a setting names its address. It answers GET only, shows no secret, and has no
// resource from elsewhere. A strict content security policy permits no inline script and no inline
// style. On loopback it answers only requests for loopback hosts, so that a page of another site cannot
// read it through a name of its own that resolves to loopback.
//
// Pages are rendered on the server and work without JavaScript. The script replaces their parts when
// a change arrives as a server-sent event. The picture of a route is an SVG that is made here.
//
// What to do about a reason is what the manual says.
package page
