package watch

import (
	"context"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

var ingresses = networkingv1.SchemeGroupVersion.WithResource("ingresses")

func quickLease() LeaseOptions {
	return LeaseOptions{Namespace: "kong", Duration: 15 * time.Second, Renew: 10 * time.Second, Retry: 20 * time.Millisecond}
}

// writer runs a complete cluster and a writer over it.
func (f *fakes) writer(t *testing.T, options WriterOptions) (w *Writer, stop func()) {
	t.Helper()
	w = f.idleWriter(t, options)
	return w, running(t, w.Run)
}

// idleWriter makes a writer that doesn't run yet, over a complete cluster.
func (f *fakes) idleWriter(t *testing.T, options WriterOptions) *Writer {
	t.Helper()
	c, err := newCluster(ClusterOptions{Log: quiet()}, f.clients(), &contact{})
	must(t, err)
	options.Log = quiet()
	if options.ReportingInstance == "" {
		options.ReportingInstance = "kong-1"
	}
	options.Lease = quickLease()
	w, err := NewWriter(c, options)
	must(t, err)
	running(t, c.Run)
	got := consume(t, c)
	got.until("complete", got.isComplete)
	return w
}

func programmed(names ...string) (reports []Report) {
	for _, name := range names {
		reports = append(reports, Report{Object: ingressKey(name), Programmed: true})
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
	w, _ := f.writer(t, WriterOptions{UpdateStatus: true, Addresses: []string{"192.0.2.1", "gw.example"}})
	w.Report(programmed("web", "right")...)
	w.Report(Report{Object: ingressKey("pending")})
	s.until(t, "web", "gw.example", "192.0.2.1")
	for range 5 {
		w.Report(programmed("web", "right")...)
	}
	w.Report(programmed("last")...)
	s.until(t, "last", "gw.example", "192.0.2.1")
	if s.patches("web") != 1 || s.patches("right") != 0 || s.patches("pending") != 0 || s.patches("last") != 1 {
		t.Errorf("patches %v", s.count)
	}

	// Another takes it away, and it is put right.
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
	w, _ := f.writer(t, WriterOptions{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	w.Report(programmed("web")...)
	s.until(t, "web", "192.0.2.1")
	if s.patches("web") != 4 {
		t.Errorf("patches %v", s.count)
	}
	s.mu.Lock()
	s.fail = []error{apierrors.NewForbidden(schema.GroupResource{}, "forbidden", nil)}
	s.mu.Unlock()
	w.Report(programmed("forbidden")...)
	eventually(t, "tried", func() bool { return s.patches("forbidden") == 1 })
}

func TestIngressThatIsNoLongerOursLosesOurAddresses(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web", "192.0.2.1", "203.0.113.9") // the latter is of its next controller
	s.set(t, "alone", "192.0.2.1")
	s.set(t, "back", "192.0.2.1")
	s.set(t, "foreign", "192.0.2.1")
	s.set(t, "deleted", "192.0.2.1")
	w := f.idleWriter(t, WriterOptions{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	w.Report(programmed("web", "alone", "back", "deleted")...)
	for _, name := range []string{"web", "alone", "back", "deleted", "foreign"} {
		w.Report(Report{Object: ingressKey(name), Gone: true})
	}
	w.Report(programmed("back")...)
	must(t, f.core.Tracker().Delete(ingresses, "shop", "deleted"))
	running(t, w.Run)
	s.until(t, "web", "203.0.113.9")
	s.until(t, "alone")
	eventually(t, "all but the one that came back are forgotten", func() bool {
		w.statuses.mu.Lock()
		defer w.statuses.mu.Unlock()
		_, back := w.statuses.desired[ingressKey("back")]
		return back && len(w.statuses.desired) == 1
	})
	if s.patches("foreign") != 0 || s.patches("back") != 0 || s.patches("web") != 1 || s.patches("alone") != 1 {
		t.Errorf("patches %v", s.count)
	}
	s.set(t, "alone", "192.0.2.1")
	s.set(t, "marker")
	w.Report(programmed("marker")...)
	s.until(t, "marker", "192.0.2.1")
	if s.patches("alone") != 1 {
		t.Errorf("patches %v after all was done", s.count)
	}
}

// An Ingress may cease to be ours before the cache shows what was written last.
func TestAddressesThatTheCacheDoesNotShowYetGoToo(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web", "192.0.2.9")
	w := f.idleWriter(t, WriterOptions{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	w.statuses.published.follow(t.Context())
	key := ingressKey("web")
	cached := w.cluster.Get(key).GetResourceVersion()
	w.Report(programmed("web")...)
	w.statuses.remember(key, desired{base: cached, wrote: w.statuses.of(key.Kind)})

	w.Report(Report{Object: key, Gone: true})
	w.statuses.write(t.Context(), key)
	s.set(t, "web", "192.0.2.1")
	eventually(t, "cached", func() bool { return w.cluster.Get(key).GetResourceVersion() != cached })
	w.statuses.write(t.Context(), key)
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
	w, _ := f.writer(t, WriterOptions{UpdateStatus: true, PublishService: &types.NamespacedName{Namespace: "kong", Name: "proxy"}})
	w.Report(programmed("web")...)
	proxy = proxy.DeepCopy()
	proxy.ResourceVersion = "2"
	proxy.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.7"}}
	if _, err := f.core.CoreV1().Services("kong").Update(ctx, proxy, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.until(t, "web", "192.0.2.7")
	must(t, f.core.CoreV1().Services("kong").Delete(ctx, "proxy", metav1.DeleteOptions{}))
	s.set(t, "later")
	w.Report(programmed("later")...)
	s.until(t, "later", "192.0.2.7")
	if s.patches("web") != 1 {
		t.Errorf("patches %v", s.count)
	}
}

// UDPIngresses may have a Service of their own in front.
func TestStatusOfDatagramsFollowsTheirOwnService(t *testing.T) {
	service := func(name, address string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: name}, Spec: corev1.ServiceSpec{ClusterIPs: []string{address}}}
	}
	f := newFakes(service("proxy", "10.0.0.1"), service("proxy-udp", "10.0.0.2"))
	s := serveStatuses(f)
	s.set(t, "web")
	w, _ := f.writer(t, WriterOptions{UpdateStatus: true,
		PublishService:    &types.NamespacedName{Namespace: "kong", Name: "proxy"},
		PublishServiceUDP: &types.NamespacedName{Namespace: "kong", Name: "proxy-udp"}})
	w.Report(programmed("web")...)
	s.until(t, "web", "10.0.0.1")
	for kind, want := range map[unit.Kind]string{unit.UDPIngress: "10.0.0.2", unit.TCPIngress: "10.0.0.1"} {
		if got := w.statuses.of(kind); len(got) != 1 || got[0].IP != want {
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
		if got := addressesOf(&test.service); !sameAddresses(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func (f *fakes) leaseHolder() string {
	leases := coordinationv1.SchemeGroupVersion.WithResource("leases")
	object, err := f.core.Tracker().Get(leases, "kong", "kube-sync")
	if err != nil || object.(*coordinationv1.Lease).Spec.HolderIdentity == nil {
		return ""
	}
	return *object.(*coordinationv1.Lease).Spec.HolderIdentity
}

func TestOnlyTheHolderOfTheLeaseWrites(t *testing.T) {
	f := newFakes()
	s := serveStatuses(f)
	s.set(t, "web")
	options := WriterOptions{UpdateStatus: true, Addresses: []string{"192.0.2.1"}, ReportingInstance: "kong-1"}
	first, stop := f.writer(t, options)
	eventually(t, "the first leads", first.Leading)
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
	eventually(t, "the second leads", second.Leading)
	s.until(t, "late", "192.0.2.1") // reported before it led
	if s.patches("web") != 1 {
		t.Errorf("patches %v", s.count)
	}
}

func TestShutdownReleasesTheLease(t *testing.T) {
	f := newFakes()
	w, stop := f.writer(t, WriterOptions{UpdateStatus: true})
	eventually(t, "leading", w.Leading)
	stop()
	if holder := f.leaseHolder(); holder != "" {
		t.Errorf("held by %q", holder)
	}
}

func TestNothingToWriteNeedsNoLease(t *testing.T) {
	f := newFakes()
	w, stop := f.writer(t, WriterOptions{})
	w.Report(Report{Object: ingressKey("web"), Programmed: true, Verdicts: []unit.Verdict{unit.Warning(ingressKey("web"), "A", "a")}})
	stop()
	for _, action := range f.core.Actions() {
		if verb := action.GetVerb(); verb != "list" && verb != "watch" {
			t.Errorf("%s %s", verb, action.GetResource().Resource)
		}
	}
}

func TestWriterNeedsANamespace(t *testing.T) {
	c, err := newCluster(ClusterOptions{}, newFakes().clients(), &contact{})
	must(t, err)
	if _, err := NewWriter(c, WriterOptions{UpdateStatus: true}); err == nil {
		t.Error("no error")
	}
}
