package inspect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// askWithin is how long a question waits for the loop while an earlier catalog is at hand, and
	// waitWithin without one.
	askWithin  = 300 * time.Millisecond
	waitWithin = 5 * time.Second
	// keptIdle is how long a catalog is kept after its last use.
	keptIdle = time.Minute
)

// Options are what an inspector asks.
type Options struct {
	Admin    *adminapi.Client
	Recorder *Recorder
	Desk     *Desk
	// Gateway has the fields that do not change.
	Gateway Gateway
	// Services are those in front of the gateway.
	Services []types.NamespacedName
	// Own are the pod's addresses.
	Own []netip.Addr
	// Arrived returns nil once everything that the cluster holds at the time of the call has arrived. It
	// is nil if there is no cluster.
	Arrived func(ctx context.Context) error
}

// Inspector answers questions about the running gateway. Its methods may be called from any
// goroutine.
type Inspector struct {
	options Options

	mu      sync.Mutex
	catalog *catalog
	// applies is the number of applies when the catalog was made.
	applies uint64
	idle    *time.Timer
}

// New returns an inspector.
func New(o Options) *Inspector {
	i := &Inspector{options: o}
	i.idle = time.AfterFunc(keptIdle, i.release)
	return i
}

// release forgets a catalog that has not been used for a while.
func (i *Inspector) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.catalog = nil
}

// current returns the catalog of what Kong holds now. It is stale if the loop is busy.
func (i *Inspector) current(ctx context.Context) (c *catalog, stale bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.idle.Reset(keptIdle)
	if i.catalog != nil && i.applies == i.options.Recorder.applied() {
		return i.catalog, false, nil
	}
	within := waitWithin
	if i.catalog != nil {
		within = askWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var views []unit.View
	var applies uint64
	err = i.options.Desk.Ask(ctx, func(s State) {
		views, applies = slices.Collect(s.Held()), i.options.Recorder.applied()
	})
	switch {
	case err == nil:
		i.catalog, i.applies = newCatalog(views, i.catalog), applies
		return i.catalog, false, nil
	case i.catalog != nil:
		return i.catalog, true, nil
	}
	return nil, false, err
}

// Routes returns a page of the routes in which all words of a query occur. Pages count from 1.
func (i *Inspector) Routes(ctx context.Context, query string, page int) (Page, error) {
	c, stale, err := i.current(ctx)
	if err != nil {
		return Page{}, err
	}
	p := c.page(query, page)
	p.Stale = stale
	for n := range p.Rows {
		row := &p.Rows[n]
		faulty, refusal := i.options.Recorder.on(row.Object.key())
		row.Faulty, row.Refused = faulty != nil, refusal != nil
	}
	return p, nil
}

// ErrNoRoute says that Kong does not hold a route.
var ErrNoRoute = errors.New("Kong holds no such route")

// Route returns a route by Kong's id, with the health of its endpoints.
func (i *Inspector) Route(ctx context.Context, id string) (Route, error) {
	c, _, err := i.current(ctx)
	if err != nil {
		return Route{}, err
	}
	r, ok := c.detail(id)
	if !ok {
		return Route{}, ErrNoRoute
	}
	for n := range r.Backends {
		i.addHealth(ctx, &r.Backends[n])
	}
	for _, key := range r.objects() {
		faulty, refusal := i.options.Recorder.on(key)
		if faulty != nil {
			r.Faults = append(r.Faults, *faulty)
		}
		if refusal != nil {
			r.Refusals = append(r.Refusals, *refusal)
		}
	}
	return r, nil
}

// healthWords are Kong's words for the health of a target, in plain English.
var healthWords = map[string]string{
	"HEALTHY": "healthy", "UNHEALTHY": "unhealthy", "HEALTHCHECKS_OFF": "not checked", "DNS_ERROR": "address unknown",
}

// addHealth adds what Kong says about a backend's endpoints.
func (i *Inspector) addHealth(ctx context.Context, b *Backend) {
	if b.Upstream == "" || b.Relay || len(b.Endpoints) == 0 {
		return
	}
	health, err := i.options.Admin.Health(ctx, b.Upstream)
	if err != nil { // the health stays unknown
		return
	}
	for n, e := range b.Endpoints {
		said := health[e.Address]
		if word, ok := healthWords[said]; ok {
			said = word
		}
		b.Endpoints[n].Health = said
	}
}

// Status returns the state of the gateway. What cannot be found out is in Unknown.
func (i *Inspector) Status(ctx context.Context) Status {
	s := Status{Time: time.Now(), Gateway: i.options.Gateway, Workers: []Worker{}, Replicas: []Replica{}, Certificates: []Certificate{}}
	i.options.Recorder.fill(&s)
	if software, err := i.options.Admin.Software(ctx); err != nil {
		s.Unknown = append(s.Unknown, fmt.Sprintf("Kong's version: %v", err))
	} else {
		s.Gateway.Kong, s.Gateway.Warnings = software.Version, software.Warnings()
	}
	i.addWorkers(ctx, &s)
	c, stale, err := i.current(ctx)
	switch {
	case err != nil:
		s.Unknown = append(s.Unknown, fmt.Sprintf("certificates: %v", err))
	default:
		s.Certificates = c.certificates()
		if stale {
			s.Unknown = append(s.Unknown, "whether the certificates are the present ones: kube-sync is applying a configuration")
		}
	}
	i.addReplicas(ctx, &s)
	return s
}

// addWorkers asks Kong which configuration each worker uses.
func (i *Inspector) addWorkers(ctx context.Context, s *Status) {
	state, err := i.options.Admin.State(ctx)
	if err == nil && !state.Companion {
		err = fmt.Errorf("Kong does not tell: %s", state.NoCompanion)
	}
	if err != nil {
		s.Unknown = append(s.Unknown, fmt.Sprintf("which configuration each worker uses: %v", err))
		return
	}
	for _, subsystem := range slices.Sorted(maps.Keys(state.Hashes)) {
		for id, hash := range state.Hashes[subsystem] {
			w := Worker{Subsystem: subsystem, ID: id, Hash: hash, Current: hash == state.Hash}
			if id < len(state.PIDs) {
				w.PID = state.PIDs[id]
			}
			s.Workers = append(s.Workers, w)
		}
	}
}

// addReplicas adds the endpoints of the Services in front of the gateway.
func (i *Inspector) addReplicas(ctx context.Context, s *Status) {
	if len(i.options.Services) == 0 {
		s.Unknown = append(s.Unknown, "other replicas: the setting PUBLISH_SERVICE does not name the Service in front of the gateway")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err := i.options.Desk.Ask(ctx, func(state State) {
		for _, service := range i.options.Services {
			for _, slice := range backend.SlicesOf(state.Graph(), service) {
				for _, e := range slice.Endpoints {
					ready := e.Conditions.Ready == nil || *e.Conditions.Ready
					for _, address := range e.Addresses {
						s.Replicas = append(s.Replicas, Replica{
							Service: objectOf(unit.Service.Key(service.Namespace, service.Name)), Address: address, Ready: ready, Self: i.own(address),
						})
					}
				}
			}
		}
	})
	if err != nil {
		s.Replicas, s.Unknown = []Replica{}, append(s.Unknown, fmt.Sprintf("other replicas: %v", err))
		return
	}
	slices.SortFunc(s.Replicas, func(a, b Replica) int { return strings.Compare(a.Address, b.Address) })
	s.Replicas = slices.CompactFunc(s.Replicas, func(a, b Replica) bool { return a.Address == b.Address })
}

func (i *Inspector) own(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.Contains(i.options.Own, a.Unmap())
}

// Follow returns changes as Kong acknowledges them, and again when they are effective, and a function
// that ends it. ok is false if too many follow already.
func (i *Inspector) Follow() (changes <-chan Change, end func(), ok bool) {
	return i.options.Recorder.follow()
}

// Changes returns the last changes, the newest first.
func (i *Inspector) Changes() []Change {
	var s Status
	i.options.Recorder.fill(&s)
	return s.Changes
}
