package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/clientlog"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// Options say what to watch, and how.
type Options struct {
	// RESTConfig reaches the API server; see [Access].
	RESTConfig *rest.Config
	// Clients, if set, are used in place of those that RESTConfig makes.
	Clients *Clients
	// Namespaces limits the watches: nothing is listed across namespaces. Empty means all.
	Namespaces []string
	// Kinds defaults to [kinds.All].
	Kinds []kinds.Kind
	// Log defaults to slog.Default().
	Log *slog.Logger
	// KindState, if set, is called for each custom kind at the start, and again when its
	// state changes. It must not block.
	KindState func(KindState)
	// QPS and Burst limit the requests per second to the API server. Without QPS there is no limit.
	QPS   float32
	Burst int
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Kinds == nil {
		o.Kinds = kinds.All()
	}
	o.Namespaces = slices.Compact(slices.Sorted(slices.Values(o.Namespaces)))
	return o
}

// Cluster is the source that watches an API server. While the server does not answer,
// delivered objects stay; the watches resume by themselves.
type Cluster struct {
	clients     *Clients
	changes     *watch.Queue
	caches      *caches
	contact     *contact
	wanted      *wanted
	definitions *definitions // nil without custom kinds
	log         *slog.Logger
	running     sync.WaitGroup
}

// New returns a source that watches when it is run. It does not contact the API server yet.
func New(options Options) (*Cluster, error) {
	options = options.withDefaults()
	contact := newContact(options.Log)
	if options.Clients == nil {
		clients, err := newClients(options.RESTConfig, options.QPS, options.Burst, contact)
		if err != nil {
			return nil, err
		}
		options.Clients = clients
	}
	c := &Cluster{
		clients: options.Clients,
		changes: watch.NewQueue(),
		caches:  newCaches(options.Kinds),
		contact: contact,
		log:     options.Log,
	}
	c.wanted = newWanted(c.changes, c.caches, c.clients.Core, contact)
	c.changes.Expect(c) // until Run knows what to wait for
	if err := c.prepare(options); err != nil {
		return nil, err
	}
	return c, nil
}

// prepare creates the informers of the core kinds, and the watch of the definitions if there
// are custom kinds.
func (c *Cluster) prepare(options Options) error {
	factory := informerFactory{clients: c.clients, namespaces: options.Namespaces, log: c.log}
	core := &coreKinds{changes: c.changes, caches: c.caches, wanted: c.wanted, contact: c.contact}
	custom := &customKinds{changes: c.changes, caches: c.caches, factory: factory, contact: c.contact,
		states: newKindStates(options.KindState, c.log), running: map[unit.Kind]*versionWatch{}}
	for _, kind := range options.Kinds {
		if kind.Custom {
			custom.kinds = append(custom.kinds, kind)
			continue
		}
		informers, err := factory.informers(kind, kind.Resource, core)
		if err != nil {
			return err
		}
		c.caches.add(kind, kind.Resource.Version, informers)
	}
	if len(custom.kinds) > 0 {
		c.definitions = newDefinitions(c.clients, c.changes, c.contact, c.log, custom)
	}
	return nil
}

// Run implements [watch.Source].
func (c *Cluster) Run(ctx context.Context) error {
	ctx = clientlog.NewContext(ctx, c.log)
	for _, informer := range c.caches.all() {
		c.changes.Expect(informer)
		c.running.Go(func() { informer.run(ctx) })
	}
	c.running.Go(func() { c.wanted.run(ctx) })
	if c.definitions != nil {
		c.changes.Expect(c.definitions)
		c.running.Go(func() { c.definitions.run(ctx) })
	}
	c.changes.Arrived(c)
	<-ctx.Done()
	c.running.Wait()
	return nil
}

// Pending implements [watch.Source].
func (c *Cluster) Pending() <-chan struct{} { return c.changes.Pending() }

// Take implements [watch.Source].
func (c *Cluster) Take() watch.Batch { return c.changes.Take() }

// Want implements [watch.Source]. It ignores kinds that are delivered whole anyway.
func (c *Cluster) Want(keys []unit.Key) {
	c.wanted.set(slices.DeleteFunc(slices.Clone(keys), func(key unit.Key) bool {
		return c.caches.kinds[key.Kind].Fetch == nil
	}))
}

// Get returns the cached object, or nil. An object of a kind that is watched as metadata is
// its metadata.
func (c *Cluster) Get(key unit.Key) unit.Object { return c.caches.get(key) }

// OwnedBy returns the cached objects of a kind that a Gateway owns.
func (c *Cluster) OwnedBy(gateway unit.Key, kind unit.Kind) []unit.Object {
	return c.caches.ownedBy(gateway, kind)
}

// Verdicts returns a warning for each field of a cached object that is not read.
func (c *Cluster) Verdicts(key unit.Key) []unit.Verdict {
	return ignoredVerdicts(key, c.caches.ignored(key))
}

// ignoredVerdicts returns a warning for each field of an object that is not read.
func ignoredVerdicts(key unit.Key, fields []kinds.IgnoredField) (verdicts []unit.Verdict) {
	for _, ignored := range fields {
		verdict := unit.Warning(key, "FieldIgnored", fmt.Sprintf("%s has no effect: %s", ignored.Path, ignored.Reason))
		verdict.Field = ignored.Path
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}

// Observe registers a function that is called with every change of a cached object, including
// those that are not delivered. It must be called before Run, and the function must not block.
func (c *Cluster) Observe(observer func(unit.Key)) { c.caches.observe(observer) }

// Kind returns the row of a watched kind; the zero Kind for other kinds.
func (c *Cluster) Kind(kind unit.Kind) kinds.Kind { return c.caches.kinds[kind] }

// APIVersion returns the API version in which the objects of a kind are read, such as
// "networking.k8s.io/v1".
func (c *Cluster) APIVersion(kind unit.Kind) string {
	return c.caches.resource(kind).GroupVersion().String()
}

// LastContact returns when the API server was last heard of; zero if never. In an idle cluster
// that may be a little more than a minute ago.
func (c *Cluster) LastContact() time.Time { return c.contact.last() }
