// Package hostile makes objects of an attacker. An API server accepts each of them, and a gateway
// without limits would crash, stop for minutes or run out of memory. Tests of the translation and of
// a real Kong use them.
package hostile
