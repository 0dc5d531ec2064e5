package cluster

import (
	"context"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/tools/metrics"
)

// requestMetrics counts the requests of client-go, which has one set of metrics for a process. The
// metrics have the names and labels that other controllers use, without the address of the API
// server.
var requestMetrics = newRequests()

// RequestMetrics returns the metrics of requests to the API server. They are the same for all
// clusters of the process.
func RequestMetrics() prometheus.Collector {
	metrics.Register(metrics.RegisterOpts{
		RequestResult: requestMetrics, RequestRetry: requestMetrics,
		RequestLatency: latency{requestMetrics.duration}, RateLimiterLatency: latency{requestMetrics.waiting},
	})
	return requestMetrics
}

type requests struct {
	results  *prometheus.CounterVec
	retries  *prometheus.CounterVec
	duration *prometheus.HistogramVec
	waiting  *prometheus.HistogramVec
}

func newRequests() *requests {
	seconds := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rest_client_" + name, Help: help, Buckets: prometheus.ExponentialBucketsRange(0.001, 60, 12),
		}, []string{"verb"})
	}
	return &requests{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rest_client_requests_total", Help: "Requests to the API server, by method and status code; the code is <error> without a response.",
		}, []string{"method", "code"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rest_client_request_retries_total", Help: "Requests to the API server that were tried again because it asked for that, by method and status code.",
		}, []string{"method", "code"}),
		duration: seconds("request_duration_seconds", "Seconds until the API server responded, by verb; without watches."),
		waiting:  seconds("rate_limiter_duration_seconds", "Seconds that requests waited for APISERVER_QPS, if it is set, by verb."),
	}
}

func (r *requests) all() []prometheus.Collector {
	return []prometheus.Collector{r.results, r.retries, r.duration, r.waiting}
}

// Describe implements [prometheus.Collector].
func (r *requests) Describe(to chan<- *prometheus.Desc) {
	for _, one := range r.all() {
		one.Describe(to)
	}
}

// Collect implements [prometheus.Collector].
func (r *requests) Collect(to chan<- prometheus.Metric) {
	for _, one := range r.all() {
		one.Collect(to)
	}
}

// Increment implements [metrics.ResultMetric].
func (r *requests) Increment(_ context.Context, code, method, _ string) {
	r.results.WithLabelValues(method, code).Inc()
}

// IncrementRetry implements [metrics.RetryMetric].
func (r *requests) IncrementRetry(_ context.Context, code, method, _ string) {
	r.retries.WithLabelValues(method, code).Inc()
}

// latency is a [metrics.LatencyMetric].
type latency struct{ seconds *prometheus.HistogramVec }

// Observe implements [metrics.LatencyMetric].
func (l latency) Observe(_ context.Context, verb string, _ url.URL, took time.Duration) {
	l.seconds.WithLabelValues(verb).Observe(took.Seconds())
}
