// Package adminapi is a client of Kong's Admin API: full loads, the deltas and questions of the
// companion, and Kong's answers as errors. It does not know units. All code that reads the English of
// Kong's messages is in kong_messages.go.
package adminapi
