package watchtest

import (
	"context"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// patience is how long a test waits for a condition, so that a hung test fails.
const patience = 3 * time.Minute

// Eventually waits until the condition holds.
func Eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	eventually.True(t, patience, what, condition)
}

// Running runs f in the background until the test ends or stop is called, and waits until
// f has returned.
func Running(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// Must ends the test if there is an error.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
