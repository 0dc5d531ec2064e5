// Package eventually waits for conditions in tests.
package eventually

import "time"

const (
	// interval is the pause between two checks.
	interval = 10 * time.Millisecond
	// slack multiplies the times that tests wait, because other programs may keep the machine busy.
	slack = 5
)

// Test is the part of testing.TB that this package needs.
type Test interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Nil calls check until it returns nil. It fails the test with the last error if that takes longer than
// within, times slack.
func Nil(t Test, within time.Duration, check func() error) {
	t.Helper()
	within *= slack
	for deadline := time.Now().Add(within); ; time.Sleep(interval) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after %s: %v", within, err)
		}
	}
}

// True calls check until it returns true. It fails the test, naming the condition, if that takes longer than
// within, times slack.
func True(t Test, within time.Duration, condition string, check func() bool) {
	t.Helper()
	within *= slack
	for deadline := time.Now().Add(within); !check(); time.Sleep(interval) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, condition)
		}
	}
}
