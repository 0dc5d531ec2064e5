package watch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ClusterOptions say what to watch, and how.
type ClusterOptions struct {
	// RESTConfig reaches the API server; see [Access].
	RESTConfig *rest.Config
	// Namespaces limits the watches; nothing is listed across namespaces then.
	// Empty means all.
	Namespaces []string
	// Kinds defaults to [AllKinds].
	Kinds []Kind
	// Log defaults to slog.Default().
	Log *slog.Logger
	// Reading, if set, is called for each custom kind at the start, and again whenever
	// that changes. It must not block.
	Reading func(Reading)
	// QPS and Burst limit the requests to the API server. Defaults 50 and 100.
	QPS   float32
	Burst int
}

// Cluster is the source that watches an API server. When that is out of reach
// what was delivered stays, and watches go on by themselves once it is back.
type Cluster struct {
	*queue
	clients    *clients
	kinds      map[unit.Kind]Kind
	namespaces []string
	log        *slog.Logger
	contact    *contact
	wanted     *wanted
	presence   *presence
	observers  []func(unit.Key)
	failures   rate.Sometimes
	unanswered atomic.Bool
	running    sync.WaitGroup

	mu        sync.RWMutex
	informers map[unit.Kind][]*informer
	// served are the versions of the custom kinds that are watched.
	served map[unit.Kind]string
}

// NewCluster returns a source that watches when it is run. It doesn't reach for
// the API server yet.
func NewCluster(options ClusterOptions) (*Cluster, error) {
	if options.QPS == 0 {
		options.QPS = 50
	}
	if options.Burst == 0 {
		options.Burst = 100
	}
	contact := &contact{}
	clients, err := newClients(options.RESTConfig, options.QPS, options.Burst, contact)
	if err != nil {
		return nil, err
	}
	return newCluster(options, clients, contact)
}

func newCluster(options ClusterOptions, clients *clients, contact *contact) (*Cluster, error) {
	c := &Cluster{
		queue:      newQueue(),
		clients:    clients,
		kinds:      map[unit.Kind]Kind{},
		namespaces: slices.Compact(slices.Sorted(slices.Values(options.Namespaces))),
		log:        options.Log,
		contact:    contact,
		failures:   rate.Sometimes{First: 1, Interval: time.Minute},
		informers:  map[unit.Kind][]*informer{},
		served:     map[unit.Kind]string{},
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	kinds := options.Kinds
	if kinds == nil {
		kinds = AllKinds()
	}
	contact.failed = func(err error) { c.unanswered.Store(true); c.failed("connection", err) }
	contact.back = c.answered
	c.expect(c) // until everything to wait for is known
	c.wanted = newWanted(c)
	c.presence = newPresence(c, options.Reading)
	for _, kind := range kinds {
		c.kinds[kind.Name] = kind
		if kind.Custom {
			c.presence.add(kind)
		} else if _, err := c.add(kind, kind.Resource, nil); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add prepares to watch a kind in one of its versions and returns the informers. The
// caches of those before them are read as long as theirs are not complete.
func (c *Cluster) add(kind Kind, resource schema.GroupVersionResource, held *held) ([]*informer, error) {
	var added []*informer
	for _, scope := range c.scopes(kind) {
		informer, err := newInformer(c, kind, resource, scope, held)
		if err != nil {
			return nil, fmt.Errorf("watch %s: %w", resource.String(), err)
		}
		added = append(added, informer)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.informers[kind.Name] = append(slices.Clone(added), c.informers[kind.Name]...)
	c.served[kind.Name] = resource.Version
	return added, nil
}

// resource is that of a kind in the version in which it is read.
func (c *Cluster) resource(kind unit.Kind) schema.GroupVersionResource {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if version, ok := c.served[kind]; ok {
		return c.kinds[kind].in(version)
	}
	return c.kinds[kind].Resource
}

// forget leaves out informers that have been stopped.
func (c *Cluster) forget(kind unit.Kind, stopped []*informer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(c.informers[kind]), func(i *informer) bool { return slices.Contains(stopped, i) })
	c.informers[kind] = left
	if len(left) == 0 {
		delete(c.informers, kind)
		delete(c.served, kind)
	}
}

// Run implements [Source].
func (c *Cluster) Run(ctx context.Context) error {
	ctx = withLog(ctx, c.log)
	c.mu.RLock()
	for _, kind := range c.informers {
		for _, informer := range kind {
			c.expect(informer)
			c.running.Go(func() { informer.run(ctx) })
		}
	}
	c.mu.RUnlock()
	c.running.Go(func() { c.wanted.run(ctx) })
	if len(c.presence.kinds) > 0 {
		c.expect(c.presence)
		c.running.Go(func() { c.presence.run(ctx) })
	}
	c.arrived(c)
	<-ctx.Done()
	c.running.Wait()
	return nil
}

// Want implements [Source]. Kinds that are delivered whole anyway are ignored.
func (c *Cluster) Want(keys []unit.Key) {
	c.wanted.set(slices.DeleteFunc(slices.Clone(keys), func(key unit.Key) bool {
		return c.kinds[key.Kind].Fetch == nil
	}))
}

// Get returns the object as it is cached, or nil. Of a kind that is watched as
// metadata alone it is that.
func (c *Cluster) Get(key unit.Key) unit.Object {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, informer := range c.informers[key.Kind] {
		if object := informer.get(key); object != nil {
			return object
		}
	}
	return nil
}

// madeFor returns the cached objects of a kind that were made for a Gateway.
func (c *Cluster) madeFor(kind unit.Kind, gateway unit.Key) (objects []unit.Object) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, informer := range c.informers[kind] {
		found, _ := informer.shared.GetIndexer().ByIndex(byOwner, owned.Key(gateway.Namespace, gateway.Name))
		for _, cached := range found {
			if object, ok := cached.(unit.Object); ok {
				objects = append(objects, object)
			}
		}
	}
	return objects
}

// LastContact is when the API server was last heard of; zero if never. With an
// idle cluster it may be a bit more than a minute ago.
func (c *Cluster) LastContact() time.Time { return c.contact.last() }

// observe has f called for every change of an object in the cache, also for
// those that aren't delivered. It is called before Run; f must not block.
func (c *Cluster) observe(f func(unit.Key)) { c.observers = append(c.observers, f) }

func (c *Cluster) observed(key unit.Key) {
	for _, observer := range c.observers {
		observer(key)
	}
}

// failed logs that the API server doesn't answer as it should, now and then.
func (c *Cluster) failed(what string, err error) {
	c.failures.Do(func() {
		c.log.Warn("cannot read from the cluster", "what", what, "error", err, "last_contact", c.LastContact())
	})
}

// answered logs the end of an outage.
func (c *Cluster) answered() {
	if c.unanswered.Load() && c.unanswered.Swap(false) {
		c.log.Info("the cluster answers again")
	}
}
