// Package schema admits objects of custom kinds as an API server does that has the
// definitions of Gateway API and of Kong: unknown fields, wrong types, missing and
// forbidden values and the rules in CEL are errors, defaults are filled in. The
// definitions are those of the modules that this program is built with.
package schema
