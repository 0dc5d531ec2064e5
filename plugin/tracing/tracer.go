package tracing

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

const (
	// keptTraces is the number of changes whose statuses are traced, and maxSpans the number of spans
	// of one name in a trace. Further ones are counted.
	keptTraces = 64
	maxSpans   = 20
	// namedObjects is the number of objects that a span names.
	namedObjects = 10
)

// Tracer makes spans of what the agent and the writers of statuses report. Its methods may be called
// from any goroutine. Those of a nil Tracer do nothing.
type Tracer struct {
	tracer trace.Tracer

	mu     sync.Mutex
	recent []*change // the newest last
}

// change is the trace of a change.
type change struct {
	id   uint64
	ctx  context.Context //nolint:containedctx // it has the root span, the parent of later ones
	root trace.Span
	// acknowledged is when Kong had all of it; zero before.
	acknowledged time.Time
	ended        bool
	spans        map[string]int // by name
	objects      []string
	count        int
	kinds        map[unit.Kind]struct{}
	bytes        int
}

func newTracer(provider trace.TracerProvider) *Tracer {
	return &Tracer{tracer: provider.Tracer("github.com/kube-sync/kube-sync")}
}

// Seen adds objects to a change. since is when the oldest of them arrived, taken when the agent took
// them from the queue, and translated when it had translated them.
func (t *Tracer) Seen(id uint64, changes []unit.Change, since, taken, translated time.Time) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.find(id)
	if c == nil {
		c = t.begin(id, start(changes, since))
	}
	for _, one := range changes {
		c.add(one.Key)
	}
	t.span(c, "seen", since, taken, nil, attribute.Int("objects", len(changes)))
	t.span(c, "translate", taken, translated, nil, attribute.Int("objects", len(changes)))
}

// start returns when the first of some changes was written, as far as that is known, or else when they
// arrived. The API server tells the time to the second.
func start(changes []unit.Change, since time.Time) time.Time {
	for _, c := range changes {
		if at := watch.Written(c.Object); !at.IsZero() && at.Before(since) {
			since = at
		}
	}
	return since
}

// Applied adds a call of Kong for a change. rest is true if a part of it is still to be sent.
func (t *Tracer) Applied(id uint64, outcome gateway.Outcome, began time.Time, rest bool) {
	t.locked(id, func(c *change) {
		c.bytes += outcome.Bytes
		t.span(c, "apply", began, time.Now(), nil, attribute.Bool("sent", outcome.Sent), attribute.Bool("delta", outcome.Delta),
			attribute.Int("bytes", outcome.Bytes), attribute.Int("rounds", outcome.Rounds),
			attribute.Int("refused", len(outcome.Refusals)), attribute.Bool("rest", rest))
		if !rest {
			c.acknowledged = time.Now()
			c.root.SetAttributes(attribute.String("hash", outcome.Hash), attribute.Int("refused", len(outcome.Refusals)))
		}
	})
}

// Failed adds a call of Kong that failed.
func (t *Tracer) Failed(id uint64, err error, began time.Time) {
	t.locked(id, func(c *change) { t.span(c, "apply", began, time.Now(), err) })
}

// Effective ends the changes that Kong has acknowledged: every worker uses them now.
func (t *Tracer) Effective() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.recent {
		if !c.ended && !c.acknowledged.IsZero() {
			t.span(c, "workers", c.acknowledged, time.Now(), nil)
			c.end()
		}
	}
}

// StatusWritten adds an attempt to write the status of an object of a change.
func (t *Tracer) StatusWritten(id uint64, object unit.Key, began time.Time, err error) {
	t.locked(id, func(c *change) {
		t.span(c, "status", began, time.Now(), err, attribute.String("object", object.String()))
	})
}

// TraceID returns the id of a change's trace; "" if it has none.
func (t *Tracer) TraceID(id uint64) (found string) {
	t.locked(id, func(c *change) {
		if context := c.root.SpanContext(); context.IsSampled() {
			found = context.TraceID().String()
		}
	})
	return found
}

// locked calls f with a change, if it is known.
func (t *Tracer) locked(id uint64, f func(*change)) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.find(id); c != nil {
		f(c)
	}
}

func (t *Tracer) find(id uint64) *change {
	i := slices.IndexFunc(t.recent, func(c *change) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return t.recent[i]
}

// begin starts the trace of a change, and ends the oldest one if there are too many.
func (t *Tracer) begin(id uint64, since time.Time) *change {
	if len(t.recent) == keptTraces {
		t.recent[0].end()
		t.recent = slices.Delete(t.recent, 0, 1)
	}
	c := &change{id: id, spans: map[string]int{}, kinds: map[unit.Kind]struct{}{}}
	c.ctx, c.root = t.tracer.Start(context.Background(), "change", trace.WithNewRoot(), trace.WithTimestamp(since),
		trace.WithAttributes(attribute.Int64("change", int64(id))))
	t.recent = append(t.recent, c)
	return c
}

func (t *Tracer) span(c *change, name string, from, to time.Time, err error, attributes ...attribute.KeyValue) {
	if c.spans[name]++; c.spans[name] > maxSpans {
		return
	}
	attributes = append(attributes, attribute.Int64("change", int64(c.id)))
	_, span := t.tracer.Start(c.ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attributes...))
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, unit.OneLine(err.Error()))
	}
	span.End(trace.WithTimestamp(to))
}

func (c *change) add(key unit.Key) {
	c.count++
	c.kinds[key.Kind] = struct{}{}
	if name := key.String(); len(c.objects) < namedObjects && !slices.Contains(c.objects, name) {
		c.objects = append(c.objects, name)
	}
}

// end ends the root span.
func (c *change) end() {
	if c.ended {
		return
	}
	c.ended = true
	kinds := make([]string, 0, len(c.kinds))
	for kind := range c.kinds {
		kinds = append(kinds, string(kind))
	}
	slices.Sort(kinds)
	c.root.SetAttributes(attribute.StringSlice("objects", c.objects), attribute.Int("objects_total", c.count),
		attribute.StringSlice("kinds", kinds), attribute.Int("bytes", c.bytes), attribute.Int("applies", c.spans["apply"]))
	if c.acknowledged.IsZero() {
		c.root.SetStatus(codes.Error, "Kong did not acknowledge the change")
	}
	c.root.End()
}
