package agent

import (
	"context"
	"crypto/x509"
	"log/slog"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/report"
)

// measured remembers what an observer is told.
type measured struct {
	fakeObserver
	faults    map[fault]int
	expiry    map[unit.Key]time.Time
	effective []uint64
	kinds     []map[unit.Kind]time.Time
	written   []map[unit.Kind]time.Time
	since     time.Time
}

func (m *measured) Faults(kind unit.Kind, reason string, objects int) {
	m.faults[fault{kind, reason}] = objects
}

func (m *measured) SetCertificate(secret unit.Key, notAfter time.Time) { m.expiry[secret] = notAfter }

func (m *measured) Effective(change uint64, kinds, written map[unit.Kind]time.Time) {
	m.effective, m.kinds, m.written = append(m.effective, change), append(m.kinds, maps.Clone(kinds)), append(m.written, maps.Clone(written))
}

func (m *measured) Checked(_ adminapi.State, since time.Time) { m.since = since }

// slowKong has workers that take changes over when the test says so.
type slowKong struct {
	fakeKong
	effective bool
	left      map[unit.ID]struct{}
}

func (k *slowKong) Apply(_ context.Context, units gateway.Units, changed map[unit.ID]struct{}) (gateway.Outcome, error) {
	outcome, err := k.fakeKong.Apply(nil, units, changed) //nolint:staticcheck // it does not use the context
	outcome.Effective, outcome.Left = k.effective, k.left
	return outcome, err
}

func (k *slowKong) State(_ context.Context) (adminapi.State, error) {
	state, err := k.fakeKong.State(nil) //nolint:staticcheck // it does not use the context
	state.Effective = k.effective
	return state, err
}

// measuredLoop is a loop whose steps the test calls itself.
func measuredLoop(t *testing.T) (*loop, *measured, *slowKong) {
	t.Helper()
	observer := &measured{faults: map[fault]int{}, expiry: map[unit.Key]time.Time{}}
	kong := &slowKong{}
	l := newLoop(Parts{
		Source: &fakeSource{pending: make(chan struct{}, 1)}, Graph: translate.New(translate.Options{IngressClass: "kong"}), Gateway: kong,
		Reporter: &fakeReporter{reports: map[unit.Key]report.Report{}}, Observer: observer, Log: slog.New(slog.DiscardHandler),
	})
	l.complete, l.whole = true, true
	return l, observer, kong
}

func (l *loop) take(changes ...unit.Change) {
	l.translate(watch.Batch{Changes: changes, Since: time.Now(), Complete: true})
}

// A change gets its id when its first object arrives, and is effective once every worker uses it. What
// arrives before it is applied is a part of it.
func TestChangesAreCountedUntilTheyAreEffective(t *testing.T) {
	l, observer, kong := measuredLoop(t)
	l.take(ingress("a"))
	l.take(ingress("b"))
	if l.change != 1 {
		t.Errorf("two objects before an apply are change %d, want 1", l.change)
	}
	l.apply(t.Context())
	l.check(t.Context())
	l.check(t.Context())
	if len(observer.effective) > 0 || observer.since.IsZero() {
		t.Errorf("%v are effective before the workers use them; the lag starts at %v", observer.effective, observer.since)
	}
	l.take(ingress("c"))
	kong.left = map[unit.ID]struct{}{{Role: "ingress", Namespace: "shop", Name: "c"}: {}}
	l.apply(t.Context()) // a part of it
	kong.left = nil
	l.apply(t.Context())
	if l.change != 2 {
		t.Errorf("an object after an apply is change %d, want 2, also if it is applied in parts", l.change)
	}
	kong.effective = true
	l.check(t.Context())
	l.check(t.Context())
	if len(observer.effective) != 1 || observer.effective[0] != 2 || len(observer.kinds[0]) != 1 || !observer.since.IsZero() {
		t.Errorf("effective are %v of the kinds %v; the lag starts at %v", observer.effective, observer.kinds, observer.since)
	}
	l.take(ingress("d"))
	l.apply(t.Context())
	if len(observer.effective) != 2 || observer.effective[1] != 3 {
		t.Errorf("effective are %v, want change 3 at once", observer.effective)
	}
	l.take(ingress("d")) // nothing changed
	if l.change != 3 {
		t.Errorf("an event without a change is change %d", l.change)
	}
}

// The time of a write is that of the oldest object of a kind; unknown for objects that were deleted, or
// written long ago.
func TestTheTimeOfAWrite(t *testing.T) {
	l, observer, kong := measuredLoop(t)
	kong.effective = true
	now := time.Now().Truncate(time.Second)
	wrote := func(name string, at time.Time) unit.Change {
		c := ingress(name)
		c.Object.SetManagedFields([]metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: at}}})
		return c
	}
	l.take(wrote("a", now.Add(-2*time.Second)), wrote("b", now.Add(-3*time.Second)))
	l.apply(t.Context())
	l.take(ingress("c"))
	l.apply(t.Context())
	if at := observer.written[0][unit.Ingress]; !at.Equal(now.Add(-3 * time.Second)) {
		t.Errorf("the oldest write was at %v, want %v", at, now.Add(-3*time.Second))
	}
	if len(observer.written[1]) != 0 {
		t.Errorf("a write at an unknown time was at %v", observer.written[1])
	}
}

func TestFaultsAreCounted(t *testing.T) {
	l, observer, _ := measuredLoop(t)
	missing := func(name, service string) unit.Change {
		c := ingress(name)
		c.Object.(*networkingv1.Ingress).Spec.Rules = []networkingv1.IngressRule{{Host: name + ".example", IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: new(networkingv1.PathTypePrefix),
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: service, Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}
		return c
	}
	notFound := fault{unit.Ingress, "ServiceNotFound"}
	l.take(missing("a", "x"), missing("b", "x"))
	if n := observer.faults[notFound]; n != 2 {
		t.Errorf("%d faults, want 2: %v", n, observer.faults)
	}
	l.take(missing("a", "y"), unit.Change{Key: missing("b", "").Key})
	if n := observer.faults[notFound]; n != 1 {
		t.Errorf("%d faults after one object is gone, want 1: %v", n, observer.faults)
	}
	l.take(unit.Change{Key: missing("a", "").Key})
	if n := observer.faults[notFound]; n != 0 || len(l.faults) != 0 {
		t.Errorf("%d faults are left: %v", n, l.faults)
	}
}

func TestExpiryOfCertificates(t *testing.T) {
	l, observer, _ := measuredLoop(t)
	first, second := testcert.SelfSigned("a.example"), testcert.SelfSigned("a.example")
	secret := func(p *testcert.Pair) unit.Change {
		return unit.Change{Key: secretKey("tls"), Object: &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "tls", UID: "u"},
			Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.crt": []byte(p.CertPEM()), "tls.key": []byte(p.KeyPEM())}}}
	}
	expires := func(c *x509.Certificate) {
		t.Helper()
		if at := observer.expiry[secretKey("tls")]; !at.Equal(c.NotAfter) {
			t.Errorf("the certificate expires at %v, want %v", at, c.NotAfter)
		}
	}
	l.take(secret(first))
	if len(observer.expiry) != 0 {
		t.Errorf("a certificate that no object uses is listed: %v", observer.expiry)
	}
	l.take(ingress("a", "tls"))
	expires(first.Certificate)
	l.take(secret(second))
	expires(second.Certificate)
	l.take(unit.Change{Key: ingress("a").Key})
	if at := observer.expiry[secretKey("tls")]; !at.IsZero() || len(l.certificates) != 0 {
		t.Errorf("a certificate that no object uses anymore expires at %v", at)
	}
}
