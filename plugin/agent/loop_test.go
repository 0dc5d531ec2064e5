package agent

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/report"
)

func TestNothingIsAppliedBeforeAllIsKnown(t *testing.T) {
	s := start(t)
	// The source does not know yet that a Secret is wanted.
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("a", "tls-secret")}, Complete: true})
	s.eventually("the Secret is wanted", func() bool { return slices.Contains(s.source.wantedKeys(), secretKey("tls-secret")) })
	if n := s.kong.count(); n != 0 {
		t.Fatalf("%d applies before the wanted Secret arrived", n)
	}
	s.source.push(watch.Batch{Complete: true})
	s.eventually("one apply", func() bool { return s.kong.count() == 1 })
}

func TestAnEventWithoutAChangeCostsNoApply(t *testing.T) {
	s := started(t)
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("a")}, Complete: true})
	s.eventually("the Ingress is applied", func() bool { return s.kong.count() == 2 })
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("a")}, Complete: true})
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("b")}, Complete: true})
	s.eventually("the other Ingress is applied", func() bool { return s.kong.has("b") })
	if n := s.kong.count(); n != 3 {
		t.Fatalf("%d applies, want 3: the repeated event must not cause one", n)
	}
}

func TestWhatArrivesDuringAnApplyIsInTheNext(t *testing.T) {
	s := started(t)
	release := s.kong.block()
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("first")}, Complete: true})
	s.eventually("the apply is in flight", func() bool { return s.kong.count() == 2 })
	for _, name := range []string{"a", "b", "c"} {
		s.source.push(watch.Batch{Changes: []unit.Change{ingress(name)}, Complete: true})
	}
	release()
	s.eventually("all are applied", func() bool { return s.kong.has("a") && s.kong.has("b") && s.kong.has("c") })
	if s.kong.overlapped() {
		t.Fatal("two applies overlapped")
	}
}

func TestWhatArrivesDuringAPieceIsInTheNext(t *testing.T) {
	s := started(t)
	s.kong.inPieces = true
	release := s.kong.block()
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("b"), ingress("c"), ingress("d")}, Complete: true})
	s.eventually("the first piece is in flight", func() bool { return s.kong.count() == 2 })
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("a")}, Complete: true})
	first := release
	release = s.kong.block() // before the next one
	first()
	s.eventually("the second piece is in flight", func() bool { return s.kong.count() == 3 })
	if r, ok := s.reporter.last(ingress("b").Key); !ok || !r.Programmed {
		t.Errorf("the first piece is not reported: %+v", r)
	}
	for _, name := range []string{"a", "c", "d"} {
		if r, ok := s.reporter.last(ingress(name).Key); ok {
			t.Errorf("an Ingress that is still to be sent is reported: %+v", r)
		}
	}
	release()
	s.eventually("all are reported", func() bool { r, ok := s.reporter.last(ingress("d").Key); return ok && r.Programmed })
	if got := s.kong.took(); s.kong.count() != 5 || !slices.Equal(got, []string{"b", "a", "c", "d"}) {
		t.Errorf("applied %v", got)
	}
}

func TestALostConfigurationIsAppliedAgain(t *testing.T) {
	s := started(t)
	s.kong.lose()
	s.eventually("it is applied again", func() bool { return s.kong.count() == 2 })
}

func TestAFailedApplyIsTriedAgain(t *testing.T) {
	s := started(t)
	s.kong.fail(errors.New("Kong is away"), errors.New("Kong is away"))
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("a")}, Complete: true})
	s.eventually("it is applied at last", func() bool { return s.kong.has("a") })
	if n := s.observer.failures(); n != 2 {
		t.Fatalf("%d failures observed, want 2", n)
	}
}

func TestARefusalIsReportedAndTakenBack(t *testing.T) {
	s := started(t)
	key := unit.Key{Kind: unit.Ingress, Namespace: "shop", Name: "a"}
	s.kong.refuse(gateway.Refusal{Object: key, Messages: []string{"no such thing"}})
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("a")}, Complete: true})
	s.eventually("the refusal is reported", func() bool {
		r, ok := s.reporter.last(key)
		return ok && !r.Programmed && hasVerdict(r, "KongConfigurationApplyFailed", "no such thing")
	})
	s.kong.refuse()
	s.source.push(watch.Batch{Changes: []unit.Change{ingress("b")}, Complete: true})
	s.eventually("it is taken back", func() bool {
		r, _ := s.reporter.last(key)
		return r.Programmed && !hasVerdict(r, "KongConfigurationApplyFailed", "no such thing")
	})
}

func TestNothingIsSaidOfSecretsOnTheirWay(t *testing.T) {
	s := started(t)
	late := ingress("a", "late")
	s.source.push(watch.Batch{Changes: []unit.Change{late}, Complete: true})
	s.eventually("the Ingress is applied meanwhile", func() bool { return s.kong.has("a") })
	if r, ok := s.reporter.last(late.Key); ok {
		t.Fatalf("reported before the Secret could arrive: %+v", r)
	}
	s.source.push(watch.Batch{Complete: true})
	s.eventually("it is missing after all", func() bool {
		r, _ := s.reporter.last(late.Key)
		return hasVerdict(r, "SecretNotFound", "")
	})
}

// Secrets of one tenant that are on their way do not delay the reports on other objects.
func TestSecretsOnTheirWayHoldBackTheirOwnObjectsAlone(t *testing.T) {
	s := started(t)
	late, other := ingress("a", "late"), ingress("b")
	s.source.push(watch.Batch{Changes: []unit.Change{late, other}, Complete: true})
	s.eventually("the Secret is wanted", func() bool { return slices.Contains(s.source.wantedKeys(), secretKey("late")) })
	s.source.push(watch.Batch{Awaited: []unit.Key{secretKey("late")}})
	s.eventually("what needs no Secret is reported", func() bool { _, ok := s.reporter.last(other.Key); return ok })
	if r, ok := s.reporter.last(late.Key); ok {
		t.Fatalf("reported before the Secret could arrive: %+v", r)
	}
	s.source.push(watch.Batch{Awaited: []unit.Key{}})
	s.eventually("it is missing after all", func() bool {
		r, _ := s.reporter.last(late.Key)
		return hasVerdict(r, "SecretNotFound", "")
	})
}

func TestReports(t *testing.T) {
	s := started(t)
	ours, foreign := ingress("ours"), ingress("foreign")
	class := "other"
	foreign.Object.(*networkingv1.Ingress).Spec.IngressClassName = &class
	s.source.push(watch.Batch{Changes: []unit.Change{ours, foreign}, Complete: true})
	s.eventually("ours is programmed, and the missing Service is reported", func() bool {
		r, ok := s.reporter.last(ours.Key)
		return ok && r.Programmed && !r.Gone && hasVerdict(r, "ServiceNotFound", "")
	})
	if r, ok := s.reporter.last(foreign.Key); ok && !r.Gone {
		t.Fatalf("an Ingress of another class was reported as ours: %+v", r)
	}
	moved := ingress("ours")
	moved.Object.(*networkingv1.Ingress).Spec.IngressClassName = &class
	s.source.push(watch.Batch{Changes: []unit.Change{moved}, Complete: true})
	s.eventually("it is no longer reported as ours", func() bool { r, _ := s.reporter.last(ours.Key); return r.Gone && !r.Programmed })
}

// The source's verdicts on an object are reported if the gateway serves the object.
func TestVerdictsOfTheSourceAreReported(t *testing.T) {
	s := started(t)
	ours, foreign := ingress("ours"), ingress("foreign")
	class := "other"
	foreign.Object.(*networkingv1.Ingress).Spec.IngressClassName = &class
	s.source.verdicts = map[unit.Key][]unit.Verdict{}
	for _, key := range []unit.Key{ours.Key, foreign.Key} {
		s.source.verdicts[key] = []unit.Verdict{unit.Warning(key, "FieldIgnored", "spec.x has no effect")}
	}
	s.source.push(watch.Batch{Changes: []unit.Change{foreign, ours}, Complete: true})
	s.eventually("the warning is reported", func() bool {
		r, ok := s.reporter.last(ours.Key)
		return ok && hasVerdict(r, "FieldIgnored", "spec.x has no effect")
	})
	if r, ok := s.reporter.last(foreign.Key); ok && len(r.Verdicts) > 0 {
		t.Errorf("an Ingress of another class is reported: %+v", r)
	}
}

func hasVerdict(r report.Report, reason, message string) bool {
	return slices.ContainsFunc(r.Verdicts, func(v unit.Verdict) bool {
		return v.Reason == reason && (message == "" || v.Message == message)
	})
}

func secretKey(name string) unit.Key {
	return unit.Key{Kind: unit.Secret, Namespace: "shop", Name: name}
}

func ingress(name string, secrets ...string) unit.Change {
	class, kind := "kong", networkingv1.PathTypePrefix
	ing := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	ing.Spec.IngressClassName = &class
	ing.Spec.Rules = []networkingv1.IngressRule{{Host: name + ".example"}}
	ing.Spec.Rules[0].HTTP = &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
		Path: "/", PathType: &kind,
		Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: name,
			Port: networkingv1.ServiceBackendPort{Number: 80}}},
	}}}
	for _, secret := range secrets {
		ing.Spec.TLS = append(ing.Spec.TLS, networkingv1.IngressTLS{Hosts: []string{name + ".example"}, SecretName: secret})
	}
	return unit.Change{Key: unit.Key{Kind: unit.Ingress, Namespace: "shop", Name: name}, Object: ing}
}

// scene is a running loop with fakes.
type scene struct {
	t        *testing.T
	source   *fakeSource
	kong     *fakeKong
	reporter *fakeReporter
	observer *fakeObserver
}

func start(t *testing.T) *scene {
	s := &scene{
		t: t, source: &fakeSource{pending: make(chan struct{}, 1)}, kong: &fakeKong{},
		reporter: &fakeReporter{reports: map[unit.Key]report.Report{}}, observer: &fakeObserver{},
	}
	l := newLoop(Parts{
		Source: s.source, Graph: translate.New(translate.Options{IngressClass: "kong"}), Gateway: s.kong,
		Reporter: s.reporter, Observer: s.observer, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// started returns a scene after the first, empty configuration.
func started(t *testing.T) *scene {
	s := start(t)
	s.source.push(watch.Batch{Complete: true})
	s.eventually("the first apply", func() bool { return s.kong.count() == 1 })
	return s
}

func (s *scene) eventually(what string, ok func() bool) {
	s.t.Helper()
	eventually.True(s.t, 20*time.Second, what, ok)
}

// fakeSource delivers the batches that a test pushes.
type fakeSource struct {
	mu      sync.Mutex
	batches []watch.Batch
	wanted  []unit.Key
	pending chan struct{}
	// verdicts are those of [diagnosing].
	verdicts map[unit.Key][]unit.Verdict
}

// Verdicts implements diagnosing.
func (f *fakeSource) Verdicts(key unit.Key) []unit.Verdict { return f.verdicts[key] }

func (f *fakeSource) push(b watch.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b.Since = time.Now()
	f.batches = append(f.batches, b)
	f.signal()
}

func (f *fakeSource) signal() {
	select {
	case f.pending <- struct{}{}:
	default:
	}
}

func (f *fakeSource) Run(context.Context) error { return nil }

func (f *fakeSource) Pending() <-chan struct{} { return f.pending }

func (f *fakeSource) Take() watch.Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.batches) == 0 { // wanted objects are on their way
		return watch.Batch{Complete: len(f.wanted) == 0}
	}
	b := f.batches[0]
	f.batches = f.batches[1:]
	if len(f.batches) > 0 {
		f.signal()
	}
	return b
}

func (f *fakeSource) Want(keys []unit.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted = keys
}

func (f *fakeSource) wantedKeys() []unit.Key {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wanted
}

// fakeKong accepts everything unless it is configured otherwise.
type fakeKong struct {
	mu       sync.Mutex
	applies  int
	hash     string
	held     map[unit.ID]bool
	errs     []error
	refusals []gateway.Refusal
	gate     chan struct{}
	busy     bool
	overlap  bool
	inPieces bool     // of changed units it applies those with the first name
	order    []string // the names that it has applied
}

func (f *fakeKong) Apply(_ context.Context, units gateway.Units, changed map[unit.ID]struct{}) (gateway.Outcome, error) {
	f.mu.Lock()
	f.applies++
	f.overlap = f.overlap || f.busy
	f.busy = true
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy = false
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return gateway.Outcome{}, err
	}
	if changed == nil {
		f.held = map[unit.ID]bool{}
		for view := range units.Units() {
			f.held[view.ID] = true
		}
	}
	left := map[unit.ID]struct{}{}
	first := ""
	for _, id := range slices.SortedFunc(maps.Keys(changed), func(a, b unit.ID) int { return cmp.Or(cmp.Compare(a.Name, b.Name), a.Compare(b)) }) {
		switch {
		case first == "":
			first = id.Name
			f.order = append(f.order, first)
		case f.inPieces && id.Name != first:
			left[id] = struct{}{}
			continue
		}
		_, f.held[id] = units.View(id)
	}
	f.hash = "held"
	return gateway.Outcome{Hash: f.hash, Sent: true, Refusals: f.refusals, Left: left}, nil
}

func (f *fakeKong) State(context.Context) (adminapi.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return adminapi.State{Hash: f.hash, Effective: true}, nil
}

func (f *fakeKong) ForceFullLoad() {}

func (f *fakeKong) Held() iter.Seq[unit.View] {
	return func(yield func(unit.View) bool) {
		for id := range f.held {
			if !yield(unit.View{ID: id}) {
				return
			}
		}
	}
}

func (f *fakeKong) count() int { f.mu.Lock(); defer f.mu.Unlock(); return f.applies }

func (f *fakeKong) took() []string { f.mu.Lock(); defer f.mu.Unlock(); return slices.Clone(f.order) }

func (f *fakeKong) overlapped() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.overlap }

func (f *fakeKong) lose() { f.mu.Lock(); defer f.mu.Unlock(); f.hash = "nothing" }

func (f *fakeKong) fail(errs ...error) { f.mu.Lock(); defer f.mu.Unlock(); f.errs = errs }

func (f *fakeKong) refuse(r ...gateway.Refusal) { f.mu.Lock(); defer f.mu.Unlock(); f.refusals = r }

func (f *fakeKong) has(ingress string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held[unit.ID{Role: "ingress", Namespace: "shop", Name: ingress}]
}

// block holds applies back until the returned function is called.
func (f *fakeKong) block() func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.gate = gate
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(gate)
		if f.gate == gate {
			f.gate = nil
		}
	}
}

type fakeReporter struct {
	mu      sync.Mutex
	reports map[unit.Key]report.Report
}

func (f *fakeReporter) Report(reports ...report.Report) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range reports {
		f.reports[r.Object] = r
	}
}

func (f *fakeReporter) last(key unit.Key) (report.Report, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.reports[key]
	return r, ok
}

type fakeObserver struct {
	mu     sync.Mutex
	failed int
}

func (f *fakeObserver) Translated(time.Duration, int) {}

func (f *fakeObserver) Applied(gateway.Outcome, time.Duration, map[unit.Kind]time.Time) {}

func (f *fakeObserver) Current(time.Time) {}

func (f *fakeObserver) Faults(unit.Kind, string, int) {}

func (f *fakeObserver) SetCertificate(unit.Key, time.Time) {}

func (f *fakeObserver) Effective(uint64, map[unit.Kind]time.Time, map[unit.Kind]time.Time) {}

func (f *fakeObserver) Checked(adminapi.State, time.Time) {}

func (f *fakeObserver) ApplyFailed(error, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed++
}

func (f *fakeObserver) failures() int { f.mu.Lock(); defer f.mu.Unlock(); return f.failed }
