// Package adminapi is a client of Kong's Admin API. It sends full loads, and deltas and checks to the
// companion, and turns Kong's answers into errors. It knows nothing about units. All code that reads
// the English of Kong's messages is in kong_messages.go.
package adminapi
