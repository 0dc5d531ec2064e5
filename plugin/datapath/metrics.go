package datapath

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

const prefix = "ingress_controller_relay_"

// Metrics counts what the relay does. It is a [prometheus.Collector].
type Metrics struct {
	inFlight prometheus.Gauge
	rules    prometheus.Gauge
	retries  prometheus.Counter
	mirrored *prometheus.CounterVec
	drops    *prometheus.CounterVec
	requests *prometheus.CounterVec
	duration prometheus.Histogram
	memory   prometheus.GaugeFunc
}

// newMetrics returns metrics without values. kept is the number of bytes of kept bodies.
func newMetrics(kept func() int64) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	}
	m := &Metrics{
		inFlight: gauge("requests_in_flight", "Requests that the relay is forwarding."),
		rules:    gauge("rules", "Rules whose requests go through the relay."),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "retries_total", Help: "Attempts after the first."}),
		mirrored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "mirrored_total", Help: "Copies of requests, by whether the mirror answered: sent or failed."}, []string{"result"}),
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "mirror_dropped_total", Help: "Requests that were not copied: too many copies were in progress (busy), the body was too large, not read to its end or found no memory (body), or the connection changed its protocol (upgrade)."}, []string{"reason"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "requests_total", Help: "Requests that the relay forwarded, by the class of the response's status: 2xx; or error if no backend answered."}, []string{"code"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "request_duration_seconds", Help: "Seconds until the relay had forwarded a request and its response.", Buckets: prometheus.ExponentialBucketsRange(0.001, 60, 15)}),
		memory: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: prefix + "memory_bytes", Help: "Memory of request bodies that may be sent again: see RELAY_MEMORY."}, func() float64 { return float64(kept()) }),
	}
	for _, result := range []string{"sent", "failed"} {
		m.mirrored.WithLabelValues(result)
	}
	for _, reason := range []string{"busy", "body", "upgrade"} {
		m.drops.WithLabelValues(reason)
	}
	return m
}

// answered counts a response to a request.
func (m *Metrics) answered(response *http.Response) error {
	m.requests.WithLabelValues(fmt.Sprintf("%dxx", response.StatusCode/100)).Inc()
	return nil
}

func (m *Metrics) dropped(why string) { m.drops.WithLabelValues(why).Inc() }

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.inFlight, m.rules, m.retries, m.mirrored, m.drops, m.requests, m.duration, m.memory}
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(to)
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(to)
	}
}
