package serve

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The values of the label result of status writes.
const (
	wrote    = "written"
	conflict = "conflict"
	failed   = "failed"
)

// changeMetrics are about changes on their way to the workers and back to statuses, and about what
// is left out.
type changeMetrics struct {
	group
	effective *prometheus.HistogramVec
	written   *prometheus.HistogramVec
	loads     *prometheus.CounterVec
	bytes     prometheus.Counter
	faults    *prometheus.GaugeVec
	refused   *prometheus.GaugeVec
	writes    *prometheus.CounterVec
}

func newChangeMetrics() changeMetrics {
	m := changeMetrics{
		effective: histogram("change_to_effective_seconds", "Seconds from the arrival of a change until every worker of Kong uses it, by kind of the object.",
			prometheus.ExponentialBucketsRange(0.001, 120, 34), "kind"),
		written: histogram("write_to_effective_seconds", "Seconds from a write to the API server until every worker of Kong uses it, by kind of the object. The API server tells the time of a write to the second, so that up to a second is too much.",
			prometheus.ExponentialBucketsRange(0.25, 256, 11), "kind"),
		loads:  counter("configuration_loads_total", "Configurations that Kong acknowledged, by whether all of it was sent (full) or the difference (delta).", "extent"),
		bytes:  prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "configuration_sent_bytes_total", Help: "Bytes of the configurations that Kong acknowledged."}),
		faults: gauge("object_faults", "Faults that the translation found in objects, by kind of the object and reason.", "kind", "reason"),
		refused: gauge("refused_objects", "Objects that are quarantined, by reason: Kong refuses them (invalid), another object has a value (conflict), they do not fit (too_large), a worker crashed or hung over them (crash), or they depend on such an object (dependency); and by whether their last good version is in effect (kept).",
			"reason", "kept"),
		writes: counter("status_writes_total", "Attempts to write the status of an object, by kind of the object and result: written, conflict (tried again with the newer object) or failed.",
			"kind", "result"),
	}
	for _, extent := range []string{"full", "delta"} {
		m.loads.WithLabelValues(extent)
	}
	m.group = group{m.effective, m.written, m.loads, m.bytes, m.faults, m.refused, m.writes}
	return m
}

// Faults sets the number of objects with a fault of a kind of object and a reason.
func (m changeMetrics) Faults(kind unit.Kind, reason string, objects int) {
	if objects == 0 {
		m.faults.DeleteLabelValues(string(kind), reason)
		return
	}
	m.faults.WithLabelValues(string(kind), reason).Set(float64(objects))
}

// Effective counts changes that every worker uses now: by when the oldest change of each kind arrived,
// and when it was written, if that is known. The exemplars have the id of the change.
func (m changeMetrics) Effective(change uint64, arrived, written map[unit.Kind]time.Time) {
	observe := func(histogram *prometheus.HistogramVec, since map[unit.Kind]time.Time) {
		for kind, at := range since {
			observer := histogram.WithLabelValues(string(kind)).(prometheus.ExemplarObserver)
			// The clock of the API server may be ahead.
			observer.ObserveWithExemplar(max(0, time.Since(at).Seconds()), prometheus.Labels{"change": strconv.FormatUint(change, 10)})
		}
	}
	observe(m.effective, arrived)
	observe(m.written, written)
}

// StatusWritten counts an attempt to write the status of an object. stale means that the object had
// changed.
func (m changeMetrics) StatusWritten(kind unit.Kind, stale bool, err error) {
	result := wrote
	switch {
	case stale:
		result = conflict
	case err != nil:
		result = failed
	}
	m.writes.WithLabelValues(string(kind), result).Inc()
}

func (m changeMetrics) sent(outcome gateway.Outcome) {
	extent := "full"
	if outcome.Delta {
		extent = "delta"
	}
	m.loads.WithLabelValues(extent).Inc()
	m.bytes.Add(float64(outcome.Bytes))
}

// setRefused sets the number of refused objects. An object with several refusals counts once, for
// the first of them.
func (m changeMetrics) setRefused(refusals []gateway.Refusal) {
	m.refused.Reset()
	seen := map[unit.Key]struct{}{}
	for _, refusal := range refusals {
		if _, twice := seen[refusal.Object]; twice {
			continue
		}
		seen[refusal.Object] = struct{}{}
		m.refused.WithLabelValues(string(refusal.Reason), strconv.FormatBool(refusal.Kept)).Inc()
	}
}
