package watch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// statusWriters is how many statuses are written at a time.
const statusWriters = 4

// statuses writes the addresses into Ingresses that are programmed, and into the
// objects of other kinds that have a place for them.
//
// An Ingress that stops being ours loses the addresses that are ours and keeps
// the others, so that its next controller finds what it wrote itself. That is
// done once, by who holds the lease at the time or gets it next with the Ingress
// still known as gone; Ingresses that we never saw as ours are not touched.
type statuses struct {
	cluster   *Cluster
	published *published
	// others are the addresses of kinds that have their own.
	others map[unit.Kind]*published
	log    *slog.Logger

	mu      sync.Mutex
	desired map[unit.Key]desired
	work    statusQueue // nil unless leading
}

// desired is what is to become of an Ingress: it has the addresses, or hasn't.
type desired struct {
	gone bool
	// base is the version of the Ingress that was patched last, and wrote what
	// the patch said. Until the cache shows another version it isn't repeated.
	base  string
	wrote []networkingv1.IngressLoadBalancerIngress
}

func newStatuses(cluster *Cluster, addresses *published, log *slog.Logger) *statuses {
	s := &statuses{cluster: cluster, published: addresses, others: map[unit.Kind]*published{}, log: log, desired: map[unit.Key]desired{}}
	cluster.observe(s.observed)
	addresses.observe(s.enqueueAll)
	return s
}

// apart has a kind's objects get addresses of their own. It is called before anything runs.
func (s *statuses) apart(kind unit.Kind, published *published) {
	published.observe(s.enqueueAll)
	s.others[kind] = published
}

// of gives the addresses of a kind's objects.
func (s *statuses) of(kind unit.Kind) []networkingv1.IngressLoadBalancerIngress {
	if other, ok := s.others[kind]; ok {
		return other.get()
	}
	return s.published.get()
}

func (s *statuses) report(r Report) {
	if !isAddressed(r.Object.Kind) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.desired[r.Object]
	switch {
	case r.Gone && (!known || s.cluster.Get(r.Object) == nil), !r.Gone && !r.Programmed:
		delete(s.desired, r.Object)
		return
	case known && before.gone == r.Gone:
	default:
		before.gone = r.Gone
		s.desired[r.Object] = before
	}
	s.enqueue(r.Object)
}

// observed looks again at an Ingress that was changed, maybe by another.
func (s *statuses) observed(key unit.Key) {
	if !isAddressed(key.Kind) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.desired[key]; ok && d.gone && s.cluster.Get(key) == nil {
		delete(s.desired, key)
	} else if ok {
		s.enqueue(key)
	}
}

func (s *statuses) enqueue(key unit.Key) {
	if s.work != nil {
		s.work.Add(key)
	}
}

func (s *statuses) enqueueAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.desired {
		s.enqueue(key)
	}
}

// lead writes until the context ends, beginning with all there are.
func (s *statuses) lead(ctx context.Context) {
	var following sync.WaitGroup
	for _, other := range s.others {
		following.Go(func() { other.follow(ctx) })
	}
	s.published.follow(ctx)
	following.Wait()
	lead(ctx, s.use, s.enqueueAll, s.write)
}

// use sets the queue to enqueue to, nil for none.
func (s *statuses) use(work statusQueue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work = work
}

// statusQueue holds the objects whose status is to be looked at.
type statusQueue = workqueue.TypedRateLimitingInterface[unit.Key]

// lead lends a queue to whoever enqueues, beginning with all there are, and has it
// written until the context ends.
func lead(ctx context.Context, use func(statusQueue), enqueueAll func(), write func(context.Context, unit.Key) (again bool)) {
	work := newFairQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[unit.Key](200*time.Millisecond, time.Minute))
	use(work)
	enqueueAll()
	drain(ctx, work, statusWriters, write)
	use(nil)
}

// drain has workers process a queue until the context ends. What failed is
// tried again later.
func drain(ctx context.Context, work workqueue.TypedRateLimitingInterface[unit.Key], workers int,
	process func(context.Context, unit.Key) (again bool)) {
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for {
				key, shutdown := work.Get()
				if shutdown {
					return
				}
				if process(ctx, key) && ctx.Err() == nil {
					work.AddRateLimited(key)
				} else {
					work.Forget(key)
				}
				work.Done(key)
			}
		})
	}
	<-ctx.Done()
	work.ShutDown()
	running.Wait()
}

// write brings the status of one Ingress to what is desired, if it isn't.
func (s *statuses) write(ctx context.Context, key unit.Key) (again bool) {
	object := s.cluster.Get(key)
	ours := s.of(key.Kind)
	s.mu.Lock()
	desired, ok := s.desired[key]
	s.mu.Unlock()
	if !ok || object == nil || len(ours) == 0 || ctx.Err() != nil {
		return false
	}
	unseen := desired.base != "" && desired.base == object.GetResourceVersion()
	if desired.gone && unseen {
		return false // what is to go may have been written last; the cache will show it
	}
	have, want := addressesIn(object), ours
	if desired.gone {
		want = without(have, ours)
	}
	switch {
	case sameAddresses(have, want):
		s.settled(key)
		return false
	case unseen && sameAddresses(desired.wrote, want):
		return false
	}
	if err := s.patch(ctx, key, object.GetResourceVersion(), want); err != nil {
		return failedStatus(s.log, key, err)
	}
	desired.base, desired.wrote = object.GetResourceVersion(), want
	s.remember(key, desired)
	return false
}

// patch writes on the condition that the object is still the one in the cache.
func (s *statuses) patch(ctx context.Context, key unit.Key, version string, want []networkingv1.IngressLoadBalancerIngress) error {
	return s.cluster.patchStatus(ctx, key, version, map[string]any{"loadBalancer": map[string]any{"ingress": want}})
}

// failedStatus tells whether to try again.
func failedStatus(log *slog.Logger, key unit.Key, err error) (again bool) {
	switch {
	case apierrors.IsNotFound(err):
		return false
	case apierrors.IsConflict(err):
		return true // the cache is behind
	}
	log.Warn("cannot write a status", "object", key.String(), "error", err)
	return !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err)
}

// settled forgets what is not needed to keep a status as it is.
func (s *statuses) settled(key unit.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.desired[key]; ok && d.gone {
		delete(s.desired, key)
	} else if ok {
		s.desired[key] = desired{}
	}
}

// remember keeps what was written, also if the desire is another by now.
func (s *statuses) remember(key unit.Key, written desired) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.desired[key]; ok {
		written.gone = d.gone
		s.desired[key] = written
	}
}

func without(have, ours []networkingv1.IngressLoadBalancerIngress) []networkingv1.IngressLoadBalancerIngress {
	return slices.DeleteFunc(slices.Clone(have), func(h networkingv1.IngressLoadBalancerIngress) bool {
		return slices.ContainsFunc(ours, func(o networkingv1.IngressLoadBalancerIngress) bool {
			return o.IP == h.IP && o.Hostname == h.Hostname
		})
	})
}

func sameAddresses(a, b []networkingv1.IngressLoadBalancerIngress) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	sortAddresses(a)
	sortAddresses(b)
	return equality.Semantic.DeepEqual(a, b)
}
