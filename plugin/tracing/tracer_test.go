package tracing

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// recorded returns a tracer and a function that returns the ended spans by name.
func recorded() (*Tracer, func() map[string]tracetest.SpanStubs) {
	exporter := tracetest.NewInMemoryExporter()
	tracer := newTracer(sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)))
	return tracer, func() map[string]tracetest.SpanStubs {
		byName := map[string]tracetest.SpanStubs{}
		for _, span := range exporter.GetSpans() {
			byName[span.Name] = append(byName[span.Name], span)
		}
		return byName
	}
}

func attributeOf(span tracetest.SpanStub, name attribute.Key) string {
	for _, a := range span.Attributes {
		if a.Key == name {
			return a.Value.String()
		}
	}
	return ""
}

func ingresses(n int) (changes []unit.Change) {
	for i := range n {
		changes = append(changes, unit.Change{Key: unit.Ingress.Key("shop", fmt.Sprint("web-", i))})
	}
	return changes
}

func TestATraceHasAllSteps(t *testing.T) {
	tracer, spans := recorded()
	now := time.Now()
	at := func(ms int) time.Time { return now.Add(time.Duration(ms) * time.Millisecond) }
	tracer.Seen(7, ingresses(12), at(-100), at(-90), at(-80))
	tracer.Failed(7, errors.New("no answer"), at(-80))
	tracer.Applied(7, gateway.Outcome{Sent: true, Delta: true, Bytes: 30}, at(-50), true)
	tracer.Applied(7, gateway.Outcome{Sent: true, Delta: true, Bytes: 12, Hash: "abc"}, at(-20), false)
	if got := spans()["change"]; len(got) != 0 {
		t.Fatal("the change ended before it was effective")
	}
	tracer.Effective()
	tracer.StatusWritten(7, unit.Ingress.Key("shop", "web-0"), at(-5), nil)
	all := spans()
	root := all["change"][0]
	if attributeOf(root, "change") != "7" || attributeOf(root, "objects_total") != "12" || attributeOf(root, "bytes") != "42" ||
		attributeOf(root, "applies") != "3" || attributeOf(root, "hash") != "abc" || attributeOf(root, "kinds") != `["Ingress"]` {
		t.Errorf("the change has the attributes %v", root.Attributes)
	}
	if !root.StartTime.Equal(at(-100)) || root.Status.Code == codes.Error {
		t.Errorf("the change starts at %v with the status %v", root.StartTime, root.Status)
	}
	for name, want := range map[string]int{"seen": 1, "translate": 1, "apply": 3, "workers": 1, "status": 1} {
		if len(all[name]) != want {
			t.Errorf("%d spans %q, want %d", len(all[name]), name, want)
		}
		for _, span := range all[name] {
			if span.Parent.SpanID() != root.SpanContext.SpanID() || attributeOf(span, "change") != "7" {
				t.Errorf("the span %s is not of the change", name)
			}
		}
	}
	if failed := all["apply"][0]; failed.Status.Code != codes.Error || failed.Status.Description != "no answer" {
		t.Errorf("the failed apply has the status %v", failed.Status)
	}
	if id := tracer.TraceID(7); id != root.SpanContext.TraceID().String() {
		t.Errorf("the trace has the id %s, want %s", id, root.SpanContext.TraceID())
	}
}

// Neither the changes that are kept nor the spans of one grow without bound.
func TestTracesAreBounded(t *testing.T) {
	tracer, spans := recorded()
	now := time.Now()
	for id := range uint64(3 * keptTraces) {
		tracer.Seen(id+1, ingresses(1), now, now, now)
	}
	for range 10 * maxSpans {
		tracer.StatusWritten(3*keptTraces, unit.Ingress.Key("shop", "web-0"), now, nil)
	}
	tracer.StatusWritten(1, unit.Ingress.Key("shop", "web-0"), now, nil) // no longer known
	all := spans()
	if len(tracer.recent) != keptTraces || len(all["change"]) != 2*keptTraces || len(all["status"]) != maxSpans {
		t.Errorf("%d changes kept, %d ended, %d statuses", len(tracer.recent), len(all["change"]), len(all["status"]))
	}
	if status := all["change"][0].Status; status.Code != codes.Error {
		t.Errorf("a change that Kong never acknowledged has the status %v", status)
	}
}

func TestWithoutATracerNothingHappens(t *testing.T) {
	var tracer *Tracer
	tracer.Seen(1, ingresses(1), time.Now(), time.Now(), time.Now())
	tracer.Applied(1, gateway.Outcome{}, time.Now(), false)
	tracer.Failed(1, errors.New("x"), time.Now())
	tracer.Effective()
	tracer.StatusWritten(1, unit.Ingress.Key("a", "b"), time.Now(), nil)
	if id := tracer.TraceID(1); id != "" {
		t.Errorf("a trace has the id %s", id)
	}
}
