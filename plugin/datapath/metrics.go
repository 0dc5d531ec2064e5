package datapath

import "github.com/prometheus/client_golang/prometheus"

const prefix = "ingress_controller_relay_"

// Metrics counts what the relay does. It is a [prometheus.Collector].
type Metrics struct {
	inFlight prometheus.Gauge
	rules    prometheus.Gauge
	retries  prometheus.Counter
	mirrored *prometheus.CounterVec
	drops    *prometheus.CounterVec
}

func newMetrics() *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	}
	return &Metrics{
		inFlight: gauge("requests_in_flight", "Requests that the relay is forwarding."),
		rules:    gauge("rules", "Rules whose requests go through the relay."),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "retries_total", Help: "Attempts after the first."}),
		mirrored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "mirrored_total", Help: "Copies of requests, by whether the mirror answered: sent or failed."}, []string{"result"}),
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "mirror_dropped_total", Help: "Requests that were not copied: too many copies were in progress (busy), the body was too large, not read to its end or found no memory (body), or the connection changed its protocol (upgrade)."}, []string{"reason"}),
	}
}

func (m *Metrics) dropped(why string) { m.drops.WithLabelValues(why).Inc() }

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.inFlight, m.rules, m.retries, m.mirrored, m.drops}
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
