package serve

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
)

// kongMetrics are what Kong's companion says, and whether this gateway holds the Lease.
type kongMetrics struct {
	group
	said *said
	// leading is a func() bool.
	leading *atomic.Value
}

// said is what Kong said last.
type said struct {
	mu sync.Mutex
	adminapi.State
	// since is since when some workers use an older configuration; zero if none do.
	since time.Time
}

func newKongMetrics() kongMetrics {
	m := kongMetrics{said: &said{}, leading: &atomic.Value{}}
	lead := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: prefix + "lease_held", Help: "1 if this gateway holds the Lease and writes statuses and Events, 0 if another one does.",
	}, func() float64 {
		if leading, ok := m.leading.Load().(func() bool); ok && leading() {
			return 1
		}
		return 0
	})
	m.group = group{m.said, lead}
	return m
}

// SetLease sets the function that reports whether this gateway holds the Lease.
func (m kongMetrics) SetLease(held func() bool) { m.leading.Store(held) }

// Checked records what Kong said of its workers and its database, and since when some workers use an
// older configuration; zero if none do.
func (m kongMetrics) Checked(state adminapi.State, since time.Time) {
	m.said.mu.Lock()
	defer m.said.mu.Unlock()
	m.said.State, m.said.since = state, since
}

func kongDescription(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, nil, nil)
}

var (
	workersDescription = kongDescription("kong_workers", "Workers of Kong.")
	behindDescription  = kongDescription("kong_workers_behind", "Workers of Kong that do not use the newest configuration yet.")
	lagDescription     = kongDescription("kong_worker_lag_seconds", "Seconds for which some worker of Kong has not used the newest configuration; 0 if all use it.")
	startsDescription  = kongDescription("kong_worker_starts_total", "Workers that have started since Kong did.")
	sizeDescription    = kongDescription("kong_lmdb_size_bytes", "Maximum size of Kong's database, LMDB: lmdb_map_size.")
	usedDescription    = kongDescription("kong_lmdb_used_bytes", "Bytes in use of Kong's database, LMDB.")
)

// Describe implements [prometheus.Collector].
func (s *said) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{workersDescription, behindDescription, lagDescription, startsDescription, sizeDescription, usedDescription} {
		to <- d
	}
}

// Collect implements [prometheus.Collector]. Without the companion there is nothing to collect.
func (s *said) Collect(to chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.Companion {
		return
	}
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	lag := 0.0
	if !s.since.IsZero() {
		lag = time.Since(s.since).Seconds()
	}
	gauge(workersDescription, float64(s.Workers))
	gauge(behindDescription, float64(s.Behind))
	gauge(lagDescription, lag)
	to <- prometheus.MustNewConstMetric(startsDescription, prometheus.CounterValue, float64(s.Starts))
	if s.Storage.Size > 0 {
		gauge(sizeDescription, float64(s.Storage.Size))
		gauge(usedDescription, float64(s.Storage.Used))
	}
}
