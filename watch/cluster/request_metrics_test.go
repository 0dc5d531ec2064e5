package cluster

import (
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/tools/metrics"
)

// client-go counts into our metrics, whose names follow Prometheus' rules and whose labels do not grow
// with the number of objects.
func TestRequestMetrics(t *testing.T) {
	collector := RequestMetrics()
	before := testutil.ToFloat64(requestMetrics.results.WithLabelValues("GET", "200"))
	for _, path := range []string{"/a", "/b", "/c"} {
		metrics.RequestResult.Increment(t.Context(), "200", "GET", "https://api")
		metrics.RequestLatency.Observe(t.Context(), "GET", url.URL{Path: path}, time.Second)
		metrics.RateLimiterLatency.Observe(t.Context(), "GET", url.URL{Path: path}, time.Second)
	}
	metrics.RequestRetry.IncrementRetry(t.Context(), "429", "GET", "https://api")
	if got := testutil.ToFloat64(requestMetrics.results.WithLabelValues("GET", "200")) - before; got != 3 {
		t.Errorf("%v requests, want 3", got)
	}
	for _, name := range []string{"rest_client_request_duration_seconds", "rest_client_rate_limiter_duration_seconds", "rest_client_request_retries_total"} {
		if n := testutil.CollectAndCount(collector, name); n != 1 {
			t.Errorf("%s has %d series, want 1", name, n)
		}
	}
	problems, err := testutil.CollectAndLint(collector)
	if len(problems) > 0 || err != nil {
		t.Errorf("%v, %v", problems, err)
	}
}
