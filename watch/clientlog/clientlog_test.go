package clientlog

import (
	"context"
	"log/slog"
	"testing"

	"k8s.io/klog/v2"

	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// At a high verbosity client-go logs the bodies of requests, including those of Secrets. That
// must not happen at any level.
func TestClientLogHasNoBodies(t *testing.T) {
	var log watchtest.Log
	everything := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.Level(-100)}))
	client := klog.FromContext(NewContext(context.Background(), everything))
	for _, l := range []klog.Logger{client, client.WithName("reflector"), client.WithValues("key", "value")} {
		for verbosity := 7; verbosity <= 10; verbosity++ {
			if l.V(verbosity).Enabled() {
				t.Errorf("verbosity %d is enabled", verbosity)
			}
			l.V(verbosity).Info("Response Body", "body", "secret")
		}
		l.V(6).Info("Response", "status", "200 OK")
		l.Info("Caches populated")
	}
	if log.Count("Body") != 0 || log.Count("msg=Response ") != 3 || log.Count("Caches populated") != 3 || log.Count("level=INFO") != 0 {
		t.Errorf("the log is\n%s", log.String())
	}
}
