// Package schema treats objects of custom kinds as an API server does that has the
// definitions of Gateway API and of Kong. [Default] fills in defaults. [Admit] does so too,
// and says what would be refused: unknown fields, wrong types, missing and forbidden values
// and what breaks the rules in CEL. The definitions are those of the modules that this
// program is built with: all fields of Gateway API's experimental channel are known, and
// values are held to the standard one.
package schema
