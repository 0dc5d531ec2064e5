// Package schema treats objects of custom kinds like an API server that has the definitions of
// Gateway API and of Kong. [Default] fills in defaults. [Admit] does too, and returns the
// reasons for which the server would refuse the object: unknown fields, wrong types, missing
// and forbidden values, and broken CEL rules. The definitions are those of the modules that
// this program is built with. All fields of Gateway API's experimental channel are known;
// values are validated by the standard channel.
package schema
