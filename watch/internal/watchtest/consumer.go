package watchtest

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// Consumer takes batches from a source and keeps the objects.
type Consumer struct {
	Source   watch.Source
	Objects  map[unit.Key]unit.Object
	Count    map[unit.Key]int
	Lost     map[unit.Key]int // how often a deletion was delivered
	Complete bool

	t *testing.T
}

// Consume returns a consumer that has taken nothing yet.
func Consume(t *testing.T, source watch.Source) *Consumer {
	return &Consumer{t: t, Source: source, Objects: map[unit.Key]unit.Object{}, Count: map[unit.Key]int{}, Lost: map[unit.Key]int{}}
}

// Until takes batches until the condition holds.
func (c *Consumer) Until(what string, condition func() bool) {
	c.t.Helper()
	timeout := time.After(patience)
	for !condition() {
		select {
		case <-c.Source.Pending():
			c.Take()
		case <-timeout:
			c.t.Fatalf("never: %s; have %v, complete %v", what, c.Objects, c.Complete)
		}
	}
}

// Take takes one batch.
func (c *Consumer) Take() watch.Batch {
	batch := c.Source.Take()
	if batch.Since.IsZero() != (len(batch.Changes) == 0) {
		c.t.Errorf("a batch of %d changes since %v", len(batch.Changes), batch.Since)
	}
	for _, change := range batch.Changes {
		c.Count[change.Key]++
		if change.Object == nil {
			delete(c.Objects, change.Key)
			c.Lost[change.Key]++
		} else {
			c.Objects[change.Key] = change.Object
		}
	}
	c.Complete = batch.Complete
	return batch
}

// Has returns the condition that an object was delivered and is not gone.
func (c *Consumer) Has(key unit.Key) func() bool {
	return func() bool { return c.Objects[key] != nil }
}

// HasNot returns the opposite condition.
func (c *Consumer) HasNot(key unit.Key) func() bool {
	return func() bool { return c.Objects[key] == nil }
}

// IsComplete reports whether the last batch was complete.
func (c *Consumer) IsComplete() bool { return c.Complete }

// Value returns the certificate in a Secret; "" without the Secret.
func (c *Consumer) Value(key unit.Key) string {
	if secret, ok := c.Objects[key].(*corev1.Secret); ok {
		return string(secret.Data["tls.crt"])
	}
	return ""
}
