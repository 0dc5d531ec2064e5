package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/time/rate"
)

// Options say where spans go.
type Options struct {
	// Endpoint is the URL of an OTLP receiver over HTTP, such as http://collector:4318. The path
	// defaults to /v1/traces.
	Endpoint string
	// Version is kube-sync's version. Pod and Namespace identify the gateway; they may be empty.
	Version, Pod, Namespace string
	Log                     *slog.Logger
}

// errorsEvery bounds the log lines about a receiver that does not answer.
const errorsEvery = time.Minute

// New returns a tracer that sends its spans to a receiver in the background, and a function that sends
// the rest and ends it. While the receiver does not answer, spans are dropped and a line a minute is
// logged. New does not connect.
func New(ctx context.Context, o Options) (t *Tracer, end func(context.Context) error, err error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Endpoint))
	if err != nil {
		return nil, nil, fmt.Errorf("tracing to %s: %w", o.Endpoint, err)
	}
	limit := rate.Sometimes{First: 1, Interval: errorsEvery}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		limit.Do(func() { o.Log.Warn("Spans cannot be sent", "endpoint", o.Endpoint, "error", err) })
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(o.resource()))
	return newTracer(provider), provider.Shutdown, nil
}

// resource has the attributes of all spans, by the semantic conventions of OpenTelemetry.
func (o Options) resource() *resource.Resource {
	attributes := []attribute.KeyValue{attribute.String("service.name", "kube-sync"), attribute.String("service.version", o.Version)}
	for name, value := range map[string]string{"k8s.pod.name": o.Pod, "k8s.namespace.name": o.Namespace} {
		if value != "" {
			attributes = append(attributes, attribute.String(name, value))
		}
	}
	return resource.NewSchemaless(attributes...)
}
