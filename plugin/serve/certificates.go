package serve

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// listedCertificates bounds the series: only the certificates that expire first are listed.
const listedCertificates = 100

// certificates has the expiry of the certificates that Kong serves.
type certificates struct {
	mu     sync.Mutex
	expiry map[unit.Key]time.Time
}

func newCertificates() *certificates {
	return &certificates{expiry: map[unit.Key]time.Time{}}
}

// SetCertificate sets the expiry of the certificate in a Secret; the zero time if Kong does not serve
// it.
func (m *Metrics) SetCertificate(secret unit.Key, notAfter time.Time) {
	c := m.certificates
	c.mu.Lock()
	defer c.mu.Unlock()
	if notAfter.IsZero() {
		delete(c.expiry, secret)
	} else {
		c.expiry[secret] = notAfter
	}
}

var (
	expiryDescription = prometheus.NewDesc(prefix+"certificate_expiry_timestamp_seconds",
		"When the certificate in a Secret expires, in seconds since 1970. Only the 100 certificates that expire first are listed.", []string{"secret_namespace", "secret"}, nil)
	countDescription = prometheus.NewDesc(prefix+"certificates", "Secrets with certificates that Kong serves.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (c *certificates) Describe(to chan<- *prometheus.Desc) {
	to <- expiryDescription
	to <- countDescription
}

// Collect implements [prometheus.Collector].
func (c *certificates) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to <- prometheus.MustNewConstMetric(countDescription, prometheus.GaugeValue, float64(len(c.expiry)))
	first := slices.SortedFunc(maps.Keys(c.expiry), func(a, b unit.Key) int {
		return cmp.Or(c.expiry[a].Compare(c.expiry[b]), a.Compare(b))
	})
	for _, secret := range first[:min(len(first), listedCertificates)] {
		to <- prometheus.MustNewConstMetric(expiryDescription, prometheus.GaugeValue, float64(c.expiry[secret].Unix()), secret.Namespace, secret.Name)
	}
}
