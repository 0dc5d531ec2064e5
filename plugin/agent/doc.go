// Package agent is the loop that keeps the local Kong in step with the cluster:
// it takes changes, has them translated, applies what they alter and reports.
//
// One goroutine does it all, so at most one apply is in flight, and whatever
// arrives meanwhile is in the next.
package agent
