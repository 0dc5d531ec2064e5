package tracing

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/kube-sync/kube-sync/plugin/gateway"
)

// Spans arrive at a receiver, with the resource that they are from.
func TestSpansAreSent(t *testing.T) {
	var mu sync.Mutex
	var got []string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request collectorv1.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.URL.Path)
		for _, resource := range request.GetResourceSpans() {
			for _, a := range resource.GetResource().GetAttributes() {
				got = append(got, a.GetKey()+"="+a.GetValue().GetStringValue())
			}
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					got = append(got, span.GetName())
				}
			}
		}
	}))
	defer receiver.Close()
	tracer, end, err := New(t.Context(), Options{Endpoint: receiver.URL, Version: "1.2.3", Pod: "kong-1", Namespace: "kong", Log: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tracer.Seen(1, ingresses(1), now, now, now)
	tracer.Applied(1, gateway.Outcome{Sent: true}, now, false)
	tracer.Effective()
	if err := end(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got, " ")
	for _, want := range []string{"/v1/traces", "service.name=kube-sync", "service.version=1.2.3", "k8s.pod.name=kong-1", "k8s.namespace.name=kong",
		"change", "seen", "translate", "apply", "workers"} {
		if !strings.Contains(all, want) {
			t.Errorf("the receiver got %s, without %s", all, want)
		}
	}
}

// A receiver that does not answer costs one line in the log.
func TestAReceiverIsGone(t *testing.T) {
	receiver := httptest.NewServer(http.NotFoundHandler())
	var log bytes.Buffer
	tracer, end, err := New(t.Context(), Options{Endpoint: receiver.URL, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	for id := range uint64(3) {
		tracer.Seen(id+1, ingresses(1), time.Now(), time.Now(), time.Now())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_ = end(ctx)
	if n := strings.Count(log.String(), "Spans cannot be sent"); n != 1 {
		t.Errorf("%d lines:\n%s", n, log.String())
	}
}
