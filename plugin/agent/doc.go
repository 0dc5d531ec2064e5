// Package agent is the loop that keeps the local Kong in step with the cluster: it takes changes,
// translates them, applies the result and reports on the objects.
//
// The loop is one goroutine, so that at most one apply is in progress. Changes that arrive meanwhile
// are in the next one.
package agent
