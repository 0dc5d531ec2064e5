package serve

import "github.com/prometheus/client_golang/prometheus"

// group has the metrics of one part.
type group []prometheus.Collector

// Describe implements [prometheus.Collector].
func (g group) Describe(to chan<- *prometheus.Desc) {
	for _, one := range g {
		one.Describe(to)
	}
}

// Collect implements [prometheus.Collector].
func (g group) Collect(to chan<- prometheus.Metric) {
	for _, one := range g {
		one.Collect(to)
	}
}
