package report

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

var ingresses = networkingv1.SchemeGroupVersion.WithResource("ingresses")

func quickLease() LeaseOptions {
	return LeaseOptions{Namespace: "kong", Duration: 10 * time.Minute, Renew: 5 * time.Minute, Retry: 20 * time.Millisecond}
}

// fakes stand in for an API server.
type fakes struct{ *watchtest.Fakes }

func newFakes(objects ...runtime.Object) fakes { return fakes{watchtest.NewFakes(nil, objects...)} }

// cluster returns a cluster over the fakes that does not run yet.
func (f fakes) cluster(t *testing.T) *cluster.Cluster {
	t.Helper()
	c, err := cluster.New(cluster.Options{Log: watchtest.Quiet(), Clients: &cluster.Clients{
		Core: f.Core, Metadata: f.Metadata, Dynamic: f.Dynamic, Lease: f.Core, Resources: f.Resources}})
	watchtest.Must(t, err)
	return c
}

// testWriter is a writer over a complete cluster.
type testWriter struct {
	*Writer
	cluster *cluster.Cluster
}

// part returns the writer of one aspect.
func part[T writer](w testWriter) (found T) {
	for _, writer := range w.writers {
		if typed, ok := writer.(T); ok {
			found = typed
		}
	}
	return found
}

// writer runs a complete cluster and a writer over it.
func (f fakes) writer(t *testing.T, options Options) (w testWriter, stop func()) {
	t.Helper()
	w = f.idleWriter(t, options)
	return w, watchtest.Running(t, w.Run)
}

// idleWriter makes a writer that does not run yet, over a complete cluster.
func (f fakes) idleWriter(t *testing.T, options Options) testWriter {
	t.Helper()
	c := f.cluster(t)
	options.Log = watchtest.Quiet()
	if options.ReportingInstance == "" {
		options.ReportingInstance = "kong-1"
	}
	options.Lease = quickLease()
	w, err := NewWriter(c, options)
	watchtest.Must(t, err)
	watchtest.Running(t, c.Run)
	got := watchtest.Consume(t, c)
	got.Until("complete", got.IsComplete)
	return testWriter{w, c}
}

func programmed(names ...string) (reports []Report) {
	for _, name := range names {
		reports = append(reports, Report{Object: watchtest.IngressKey(name), Programmed: true})
	}
	return reports
}

func TestStatusIsWrittenOnceForWhatIsProgrammed(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	for _, name := range []string{"web", "right", "pending", "last"} {
		s.set(t, name)
	}
	s.set(t, "right", "gw.example", "192.0.2.1") // in another order
	w, _ := f.writer(t, Options{UpdateStatus: true, Addresses: []string{"192.0.2.1", "gw.example"}})
	w.Report(programmed("web", "right")...)
	w.Report(Report{Object: watchtest.IngressKey("pending")})
	s.until(t, "web", "gw.example", "192.0.2.1")
	for range 5 {
		w.Report(programmed("web", "right")...)
	}
	w.Report(programmed("last")...)
	s.until(t, "last", "gw.example", "192.0.2.1")
	if s.patches("web") != 1 || s.patches("right") != 0 || s.patches("pending") != 0 || s.patches("last") != 1 {
		t.Errorf("patches %v", s.count)
	}

	// Another controller overwrites it, and it is written again.
	s.set(t, "web", "203.0.113.9")
	s.until(t, "web", "gw.example", "192.0.2.1")
	if s.patches("web") != 2 {
		t.Errorf("patches %v", s.count)
	}
}

func TestStatusIsTriedAgain(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web")
	s.set(t, "forbidden")
	conflict := apierrors.NewConflict(schema.GroupResource{}, "web", nil)
	s.fail = []error{conflict, apierrors.NewServiceUnavailable("busy"), conflict}
	var mu sync.Mutex
	var told []string
	w, _ := f.writer(t, Options{UpdateStatus: true, Addresses: []string{"192.0.2.1"}, Written: func(written StatusWrite) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprint(written.Object, " ", written.Change, " failed=", written.Err != nil, " stale=", written.Stale))
	}})
	report := programmed("web")
	report[0].Change = 7
	w.Report(report...)
	s.until(t, "web", "192.0.2.1")
	if s.patches("web") != 4 {
		t.Errorf("patches %v", s.count)
	}
	watchtest.Eventually(t, "all attempts are told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		const stale, failed, ok = "Ingress shop/web 7 failed=true stale=true", "Ingress shop/web 7 failed=true stale=false", "Ingress shop/web 7 failed=false stale=false"
		return slices.Equal(told, []string{stale, failed, stale, ok})
	})
	s.mu.Lock()
	s.fail = []error{apierrors.NewForbidden(schema.GroupResource{}, "forbidden", nil)}
	s.mu.Unlock()
	w.Report(programmed("forbidden")...)
	watchtest.Eventually(t, "tried", func() bool { return s.patches("forbidden") == 1 })
}

func TestIngressThatIsNoLongerOursLosesOurAddresses(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web", "192.0.2.1", "203.0.113.9") // its next controller wrote the latter
	s.set(t, "alone", "192.0.2.1")
	s.set(t, "back", "192.0.2.1")
	s.set(t, "foreign", "192.0.2.1")
	s.set(t, "deleted", "192.0.2.1")
	w := f.idleWriter(t, Options{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	w.Report(programmed("web", "alone", "back", "deleted")...)
	for _, name := range []string{"web", "alone", "back", "deleted", "foreign"} {
		w.Report(Report{Object: watchtest.IngressKey(name), Gone: true})
	}
	w.Report(programmed("back")...)
	watchtest.Must(t, f.Core.Tracker().Delete(ingresses, "shop", "deleted"))
	watchtest.Running(t, w.Run)
	s.until(t, "web", "203.0.113.9")
	s.until(t, "alone")
	watchtest.Eventually(t, "all but the one that came back are forgotten", func() bool {
		statuses := part[*loadBalancerStatuses](w)
		statuses.mu.Lock()
		defer statuses.mu.Unlock()
		_, back := statuses.desired[watchtest.IngressKey("back")]
		return back && len(statuses.desired) == 1
	})
	if s.patches("foreign") != 0 || s.patches("back") != 0 || s.patches("web") != 1 || s.patches("alone") != 1 {
		t.Errorf("patches %v", s.count)
	}
	s.set(t, "alone", "192.0.2.1")
	s.set(t, "marker")
	w.Report(programmed("marker")...)
	s.until(t, "marker", "192.0.2.1")
	if s.patches("alone") != 1 {
		t.Errorf("patches %v after the addresses were removed", s.count)
	}
}

// An Ingress may stop being ours before the cache has our last write.
func TestAddressesThatAreNotCachedYetAreRemoved(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web", "192.0.2.9")
	w := f.idleWriter(t, Options{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	statuses := part[*loadBalancerStatuses](w)
	statuses.addresses.follow(t.Context())
	key := watchtest.IngressKey("web")
	cached := w.cluster.Get(key).GetResourceVersion()
	w.Report(programmed("web")...)
	statuses.wrote(key, cached, statuses.of(key.Kind))

	w.Report(Report{Object: key, Gone: true})
	statuses.process(t.Context(), key)
	s.set(t, "web", "192.0.2.1")
	watchtest.Eventually(t, "cached", func() bool { return w.cluster.Get(key).GetResourceVersion() != cached })
	statuses.process(t.Context(), key)
	s.until(t, "web")
}

func TestStatusFollowsThePublishService(t *testing.T) {
	ctx := context.Background()
	proxy := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: "proxy"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, ClusterIPs: []string{"10.0.0.1"}},
	}
	other := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: "other"},
		Spec: corev1.ServiceSpec{ClusterIPs: []string{"10.0.0.2"}}}
	f := newFakes(proxy, other)
	s := serveStatuses(f)
	s.set(t, "web")
	w, _ := f.writer(t, Options{UpdateStatus: true, PublishService: &types.NamespacedName{Namespace: "kong", Name: "proxy"}})
	w.Report(programmed("web")...)
	proxy = proxy.DeepCopy()
	proxy.ResourceVersion = "2"
	proxy.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.7"}}
	if _, err := f.Core.CoreV1().Services("kong").Update(ctx, proxy, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.until(t, "web", "192.0.2.7")
	watchtest.Must(t, f.Core.CoreV1().Services("kong").Delete(ctx, "proxy", metav1.DeleteOptions{}))
	s.set(t, "later")
	w.Report(programmed("later")...)
	s.until(t, "later", "192.0.2.7")
	if s.patches("web") != 1 {
		t.Errorf("patches %v", s.count)
	}
}

// UDPIngresses may have a Service of their own.
func TestStatusOfUDPIngressesFollowsTheirOwnService(t *testing.T) {
	service := func(name, address string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: name}, Spec: corev1.ServiceSpec{ClusterIPs: []string{address}}}
	}
	f := newFakes(service("proxy", "10.0.0.1"), service("proxy-udp", "10.0.0.2"))
	s := serveStatuses(f)
	s.set(t, "web")
	w, _ := f.writer(t, Options{UpdateStatus: true,
		PublishService:    &types.NamespacedName{Namespace: "kong", Name: "proxy"},
		PublishServiceUDP: &types.NamespacedName{Namespace: "kong", Name: "proxy-udp"}})
	w.Report(programmed("web")...)
	s.until(t, "web", "10.0.0.1")
	for kind, want := range map[unit.Kind]string{unit.UDPIngress: "10.0.0.2", unit.TCPIngress: "10.0.0.1"} {
		if got := part[*loadBalancerStatuses](w).of(kind); len(got) != 1 || got[0].IP != want {
			t.Errorf("a %s has the addresses %v, not %s", kind, got, want)
		}
	}
}

func TestAddressesOfAService(t *testing.T) {
	lb := func(addresses ...corev1.LoadBalancerIngress) corev1.ServiceStatus {
		return corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: addresses}}
	}
	cluster := []string{"10.0.0.1", "fd00::1"}
	for name, test := range map[string]struct {
		service corev1.Service
		want    []networkingv1.IngressLoadBalancerIngress
	}{
		"load balancer": {
			corev1.Service{
				Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, ClusterIPs: cluster, ExternalIPs: []string{"192.0.2.9"}},
				Status: lb(corev1.LoadBalancerIngress{IP: "192.0.2.2", Ports: []corev1.PortStatus{{Port: 80, Protocol: "TCP"}}},
					corev1.LoadBalancerIngress{Hostname: "lb.example"}),
			},
			[]networkingv1.IngressLoadBalancerIngress{
				{Hostname: "lb.example"},
				{IP: "192.0.2.2", Ports: []networkingv1.IngressPortStatus{{Port: 80, Protocol: "TCP"}}},
			},
		},
		"load balancer with external addresses, pending": {
			corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, ClusterIPs: cluster, ExternalIPs: []string{"192.0.2.9"}}},
			[]networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.9"}},
		},
		"load balancer pending": {
			corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, ClusterIPs: cluster}}, nil,
		},
		"cluster": {
			corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIPs: cluster}},
			[]networkingv1.IngressLoadBalancerIngress{{IP: "10.0.0.1"}, {IP: "fd00::1"}},
		},
		"node port": {
			corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, ClusterIPs: cluster[:1]}},
			[]networkingv1.IngressLoadBalancerIngress{{IP: "10.0.0.1"}},
		},
		"headless": {
			corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIPs: []string{"None"}}}, nil,
		},
	} {
		if got := serviceAddresses(&test.service); !sameAddresses(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func (f fakes) leaseHolder() string {
	leases := coordinationv1.SchemeGroupVersion.WithResource("leases")
	object, err := f.Core.Tracker().Get(leases, "kong", "kube-sync")
	if err != nil || object.(*coordinationv1.Lease).Spec.HolderIdentity == nil {
		return ""
	}
	return *object.(*coordinationv1.Lease).Spec.HolderIdentity
}

func TestOnlyTheHolderOfTheLeaseWrites(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web")
	options := Options{UpdateStatus: true, Addresses: []string{"192.0.2.1"}, ReportingInstance: "kong-1"}
	first, stop := f.writer(t, options)
	watchtest.Eventually(t, "the first leads", first.Leading)
	options.ReportingInstance = "kong-2"
	second, _ := f.writer(t, options)
	second.Report(programmed("web")...)
	first.Report(programmed("web")...)
	s.until(t, "web", "192.0.2.1")
	if s.patches("web") != 1 || second.Leading() || f.leaseHolder() != "kong-1" {
		t.Errorf("patches %v, second leads %v, holder %q", s.count, second.Leading(), f.leaseHolder())
	}

	second.Report(programmed("late")...)
	stop()
	if first.Leading() {
		t.Error("still leading")
	}
	s.set(t, "late")
	watchtest.Eventually(t, "the second leads", second.Leading)
	s.until(t, "late", "192.0.2.1") // reported before it led
	if s.patches("web") != 1 {
		t.Errorf("patches %v", s.count)
	}
}

func TestShutdownReleasesTheLease(t *testing.T) {
	f := newFakes()
	w, stop := f.writer(t, Options{UpdateStatus: true})
	watchtest.Eventually(t, "leading", w.Leading)
	stop()
	if holder := f.leaseHolder(); holder != "" {
		t.Errorf("held by %q", holder)
	}
}

func TestNothingToWriteNeedsNoLease(t *testing.T) {
	f := newFakes()
	w, stop := f.writer(t, Options{})
	w.Report(Report{Object: watchtest.IngressKey("web"), Programmed: true, Verdicts: []unit.Verdict{unit.Warning(watchtest.IngressKey("web"), "A", "a")}})
	stop()
	for _, action := range f.Core.Actions() {
		if verb := action.GetVerb(); verb != "list" && verb != "watch" {
			t.Errorf("%s %s", verb, action.GetResource().Resource)
		}
	}
}

func TestWriterNeedsANamespace(t *testing.T) {
	if _, err := NewWriter(newFakes().cluster(t), Options{UpdateStatus: true}); err == nil {
		t.Error("no error")
	}
}
