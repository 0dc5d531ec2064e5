package serve

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ofKIC begin the names that the Kong Ingress Controller has, too. They do not follow Prometheus'
// rules.
var ofKIC = []string{prefix + "configuration_push_", prefix + "translation_"}

// filled returns metrics that all have a value.
func filled() *Metrics {
	m := newMetrics("unix:/s")
	object := unit.Ingress.Key("shop", "web")
	arrivals := map[unit.Kind]time.Time{unit.Ingress: time.Now().Add(-time.Second)}
	m.Translated(time.Millisecond, 1)
	m.Applied(gateway.Outcome{
		Sent: true, Delta: true, Bytes: 100, Entities: map[kong.Type]int{kong.Routes: 1},
		Refusals: []gateway.Refusal{{Object: object, Reason: gateway.Invalid, Kept: true}},
	}, time.Millisecond, arrivals)
	m.ApplyFailed(adminapi.ErrUnreachable, time.Second)
	m.Effective(3, arrivals, arrivals)
	m.Faults(unit.Ingress, "ServiceNotFound", 2)
	m.SetCertificate(unit.Secret.Key("shop", "tls"), time.Unix(2_000_000_000, 0))
	m.StatusWritten(unit.Ingress, false, nil)
	m.SetKind("g", "A", "v1", "read")
	m.kong.WithLabelValues("3.9.3", "true").Set(1)
	m.Checked(adminapi.State{Companion: true, Workers: 2, Behind: 1, Starts: 4, Storage: adminapi.Storage{Size: 100, Used: 25}}, time.Now().Add(-time.Minute))
	m.SetLease(func() bool { return true })
	return m
}

// Names, units and help texts follow Prometheus' rules.
func TestMetricsAreNamedByTheRules(t *testing.T) {
	problems, err := testutil.GatherAndLint(filled().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, ofKIC[0]) && !strings.HasPrefix(p.Metric, ofKIC[1]) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestMetricsOfChangesAndKong(t *testing.T) {
	m := filled()
	m.StatusWritten(unit.Ingress, true, errors.New("conflict"))
	m.StatusWritten(unit.Gateway, false, errors.New("forbidden"))
	want := `
# HELP ingress_controller_certificate_expiry_timestamp_seconds When the certificate in a Secret expires, in seconds since 1970. Only the 100 certificates that expire first are listed.
# TYPE ingress_controller_certificate_expiry_timestamp_seconds gauge
ingress_controller_certificate_expiry_timestamp_seconds{secret="tls",secret_namespace="shop"} 2e+09
# HELP ingress_controller_configuration_loads_total Configurations that Kong acknowledged, by whether all of it was sent (full) or the difference (delta).
# TYPE ingress_controller_configuration_loads_total counter
ingress_controller_configuration_loads_total{extent="delta"} 1
ingress_controller_configuration_loads_total{extent="full"} 0
# HELP ingress_controller_configuration_sent_bytes_total Bytes of the configurations that Kong acknowledged.
# TYPE ingress_controller_configuration_sent_bytes_total counter
ingress_controller_configuration_sent_bytes_total 100
# HELP ingress_controller_kong_lmdb_used_bytes Bytes in use of Kong's database, LMDB.
# TYPE ingress_controller_kong_lmdb_used_bytes gauge
ingress_controller_kong_lmdb_used_bytes 25
# HELP ingress_controller_kong_worker_starts_total Workers that have started since Kong did.
# TYPE ingress_controller_kong_worker_starts_total counter
ingress_controller_kong_worker_starts_total 4
# HELP ingress_controller_kong_workers_behind Workers of Kong that do not use the newest configuration yet.
# TYPE ingress_controller_kong_workers_behind gauge
ingress_controller_kong_workers_behind 1
# HELP ingress_controller_lease_held 1 if this gateway holds the Lease and writes statuses and Events, 0 if another one does.
# TYPE ingress_controller_lease_held gauge
ingress_controller_lease_held 1
# HELP ingress_controller_object_faults Faults that the translation found in objects, by kind of the object and reason.
# TYPE ingress_controller_object_faults gauge
ingress_controller_object_faults{kind="Ingress",reason="ServiceNotFound"} 2
# HELP ingress_controller_status_writes_total Attempts to write the status of an object, by kind of the object and result: written, conflict (tried again with the newer object) or failed.
# TYPE ingress_controller_status_writes_total counter
ingress_controller_status_writes_total{kind="Gateway",result="failed"} 1
ingress_controller_status_writes_total{kind="Ingress",result="conflict"} 1
ingress_controller_status_writes_total{kind="Ingress",result="written"} 1
`
	names := []string{"certificate_expiry_timestamp_seconds", "configuration_loads_total", "configuration_sent_bytes_total", "kong_lmdb_used_bytes",
		"kong_worker_starts_total", "kong_workers_behind", "lease_held", "object_faults", "status_writes_total"}
	for i := range names {
		names[i] = prefix + names[i]
	}
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if lag := gathered(t, m, "kong_worker_lag_seconds"); lag < 60 || lag > 3600 {
		t.Errorf("the lag is %v s, want a minute", lag)
	}
}

func gathered(t *testing.T, m *Metrics, name string) float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == prefix+name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// What is no longer so leaves no series behind.
func TestSeriesGo(t *testing.T) {
	m := filled()
	m.Applied(gateway.Outcome{}, time.Millisecond, nil)
	m.Faults(unit.Ingress, "ServiceNotFound", 0)
	m.SetCertificate(unit.Secret.Key("shop", "tls"), time.Time{})
	m.Checked(adminapi.State{}, time.Time{}) // the companion is gone
	for _, name := range []string{"refused_objects", "object_faults", "certificate_expiry_timestamp_seconds", "kong_workers", "kong_lmdb_used_bytes"} {
		if n, err := testutil.GatherAndCount(m.registry, prefix+name); n != 0 || err != nil {
			t.Errorf("%s has %d series, %v", name, n, err)
		}
	}
}

// Thousands of certificates are a hundred series: those that expire first.
func TestCertificatesAreBounded(t *testing.T) {
	m := newMetrics("")
	now := time.Now()
	for i := range 5000 {
		m.SetCertificate(unit.Secret.Key("shop", fmt.Sprint("tls-", i)), now.Add(time.Duration(5000-i)*time.Hour))
	}
	n, err := testutil.GatherAndCount(m.registry, prefix+"certificate_expiry_timestamp_seconds")
	if n != listedCertificates || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
	if all := gathered(t, m, "certificates"); all != 5000 {
		t.Errorf("%v certificates", all)
	}
	families, _ := m.registry.Gather()
	for _, family := range families {
		if family.GetName() != prefix+"certificate_expiry_timestamp_seconds" {
			continue
		}
		for _, series := range family.GetMetric() {
			if at := series.GetGauge().GetValue(); at > float64(now.Add(101*time.Hour).Unix()) {
				t.Errorf("%v is listed, and does not expire among the first", series)
			}
		}
	}
}
