package watch

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// patience is how long a test waits for what has to happen.
const patience = 30 * time.Second

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// running runs f in the background until the test ends, and waits for its end.
func running(t *testing.T, f func(context.Context) error) (stop func()) {
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

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// consumer keeps what a source delivered.
type consumer struct {
	t        *testing.T
	source   Source
	objects  map[unit.Key]unit.Object
	count    map[unit.Key]int
	lost     map[unit.Key]int // how often it was delivered that there is none
	complete bool
}

func consume(t *testing.T, source Source) *consumer {
	return &consumer{t: t, source: source, objects: map[unit.Key]unit.Object{}, count: map[unit.Key]int{}, lost: map[unit.Key]int{}}
}

// until takes batches until the condition holds.
func (c *consumer) until(what string, condition func() bool) {
	c.t.Helper()
	timeout := time.After(patience)
	for !condition() {
		select {
		case <-c.source.Pending():
			c.take()
		case <-timeout:
			c.t.Fatalf("never: %s; have %v, complete %v", what, c.objects, c.complete)
		}
	}
}

func (c *consumer) take() Batch {
	batch := c.source.Take()
	if batch.Since.IsZero() != (len(batch.Changes) == 0) {
		c.t.Errorf("a batch of %d changes since %v", len(batch.Changes), batch.Since)
	}
	for _, change := range batch.Changes {
		c.count[change.Key]++
		if change.Object == nil {
			delete(c.objects, change.Key)
			c.lost[change.Key]++
		} else {
			c.objects[change.Key] = change.Object
		}
	}
	c.complete = batch.Complete
	return batch
}

func (c *consumer) has(key unit.Key) func() bool {
	return func() bool { return c.objects[key] != nil }
}

func (c *consumer) hasNot(key unit.Key) func() bool {
	return func() bool { return c.objects[key] == nil }
}

func (c *consumer) isComplete() bool { return c.complete }
