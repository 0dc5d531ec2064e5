package serve

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const prefix = "ingress_controller_"

// protocol is the label value by which the Kong Ingress Controller distinguishes a Kong without a
// database.
const protocol = "db-less"

// Metrics counts what the agent does. Its methods may be called from any goroutine.
type Metrics struct {
	registry  *prometheus.Registry
	dataPlane string
	current   atomic.Int64 // Unix nanoseconds

	pushes       *prometheus.CounterVec
	pushDuration *prometheus.HistogramVec
	pushSize     *prometheus.GaugeVec
	pushLast     *prometheus.GaugeVec
	pushBroken   *prometheus.GaugeVec

	translations        *prometheus.CounterVec
	translationDuration *prometheus.HistogramVec
	translationBroken   prometheus.Gauge

	acknowledged *prometheus.HistogramVec
	entities     *prometheus.GaugeVec
	kong         *prometheus.GaugeVec
	kinds        *prometheus.GaugeVec

	changeMetrics
	kongMetrics
	certificates *certificates
}

func newMetrics(dataPlane string) *Metrics {
	// The Kong Ingress Controller's buckets start at 100 ms. Lower ones come before them.
	pushBuckets := append([]float64{1, 2.5, 5, 10, 25, 50}, prometheus.ExponentialBuckets(100, 1.33, 30)...)
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		dataPlane: dataPlane,

		pushes:       counter("configuration_push_count", "Configurations sent to Kong.", "success", "protocol", "failure_reason", "dataplane"),
		pushDuration: histogram("configuration_push_duration_milliseconds", "Milliseconds until Kong acknowledged a configuration, or until it failed.", pushBuckets, "success", "protocol", "dataplane"),
		pushSize:     gauge("configuration_push_size", "Bytes of the last configuration.", "dataplane", "protocol", "success"),
		pushLast:     gauge("configuration_push_last_successful", "When Kong last acknowledged a configuration, in seconds since 1970.", "dataplane"),
		pushBroken:   gauge("configuration_push_broken_resource_count", "Objects that Kong refuses, or that depend on one.", "dataplane"),

		translations:        counter("translation_count", "Translations of changes.", "success"),
		translationDuration: histogram("translation_duration_milliseconds", "Milliseconds that translations took.", prometheus.ExponentialBucketsRange(0.1, 60000, 30), "success"),
		translationBroken: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: prefix + "translation_broken_resource_count", Help: "Objects with verdicts of the translation.",
		}),

		acknowledged: histogram("change_to_acknowledged_seconds", "Seconds from the arrival of a change to Kong's acknowledgement of a configuration that has it, by kind of the object.",
			prometheus.ExponentialBucketsRange(0.001, 120, 34), "kind"),
		entities: gauge("configuration_entities", "Entities in the configuration that Kong acknowledged, by type.", "type"),
		kong:     gauge("kong_info", "1 for the release of Kong, and whether something puts the gateway at risk: the log and /readyz say what.", "version", "at_risk"),
		kinds: gauge("custom_kind_info", "1 for the state of a custom kind: read, undefined, unsupported (the cluster serves no version that can be read) or forbidden (the gateway may not list it); and the API version that is served.",
			"group", "kind", "version", "state"),
	}
	m.changeMetrics, m.kongMetrics, m.certificates = newChangeMetrics(), newKongMetrics(), newCertificates()
	m.Current(time.Now())
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: prefix + "configuration_age_seconds",
		Help: "Seconds since the configuration was last known to be what the cluster wants.",
	}, func() float64 { return time.Since(time.Unix(0, m.current.Load())).Seconds() })
	m.registry.MustRegister(m.pushes, m.pushDuration, m.pushSize, m.pushLast, m.pushBroken, m.translations,
		m.translationDuration, m.translationBroken, m.acknowledged, m.entities, m.kong, m.kinds, age,
		m.changeMetrics, m.kongMetrics, m.certificates,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
}

// Describe sends the descriptions of all metrics, including those without a value so far.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) { m.registry.Describe(to) }

// Translated counts a translation, and sets the number of objects that have verdicts after it.
func (m *Metrics) Translated(took time.Duration, brokenObjects int) {
	m.translations.WithLabelValues("true").Inc()
	m.translationDuration.WithLabelValues("true").Observe(milliseconds(took))
	m.translationBroken.Set(float64(brokenObjects))
}

// SetKind sets the state of a custom kind and the API version in which it is served; "" if it is
// served in no version that can be read.
func (m *Metrics) SetKind(group, kind, version, state string) {
	m.kinds.DeletePartialMatch(prometheus.Labels{"group": group, "kind": kind})
	m.kinds.WithLabelValues(group, kind, version, state).Set(1)
}

// Applied counts an apply that succeeded. changes has the arrival of the oldest change of each
// kind.
func (m *Metrics) Applied(outcome gateway.Outcome, took time.Duration, changes map[unit.Kind]time.Time) {
	broken := map[unit.Key]bool{}
	for _, refusal := range outcome.Refusals {
		broken[refusal.Object] = true
	}
	m.pushBroken.WithLabelValues(m.dataPlane).Set(float64(len(broken)))
	m.setRefused(outcome.Refusals)
	m.entities.Reset()
	for typ, n := range outcome.Entities {
		m.entities.WithLabelValues(string(typ)).Set(float64(n))
	}
	if !outcome.Sent {
		return
	}
	m.push(true, "", took)
	m.sent(outcome)
	m.pushSize.WithLabelValues(m.dataPlane, protocol, "true").Set(float64(outcome.Bytes))
	m.pushLast.WithLabelValues(m.dataPlane).SetToCurrentTime()
	for kind, since := range changes {
		m.acknowledged.WithLabelValues(string(kind)).Observe(time.Since(since).Seconds())
	}
}

// ApplyFailed counts an apply that failed.
func (m *Metrics) ApplyFailed(err error, took time.Duration) {
	reason := "other"
	if _, refused := errors.AsType[*adminapi.RefusedError](err); refused {
		reason = "conflict"
	} else if errors.Is(err, adminapi.ErrUnreachable) {
		reason = "network"
	}
	m.push(false, reason, took)
}

func (m *Metrics) push(success bool, reason string, took time.Duration) {
	ok := strconv.FormatBool(success)
	m.pushes.WithLabelValues(ok, protocol, reason, m.dataPlane).Inc()
	m.pushDuration.WithLabelValues(ok, protocol, m.dataPlane).Observe(milliseconds(took))
}

// Current sets the time at which the configuration in Kong was last known to be what the cluster
// wants. The age of the configuration starts there.
func (m *Metrics) Current(at time.Time) { m.current.Store(at.UnixNano()) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
