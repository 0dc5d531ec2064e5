package cluster

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// caches are the informers of all kinds, which may come and go.
type caches struct {
	kinds     map[unit.Kind]kinds.Kind
	observers []func(unit.Key)

	mu        sync.RWMutex
	informers map[unit.Kind][]*informer
	// served are the versions in which the kinds are read.
	served map[unit.Kind]string
}

func newCaches(of []kinds.Kind) *caches {
	c := &caches{kinds: map[unit.Kind]kinds.Kind{}, informers: map[unit.Kind][]*informer{}, served: map[unit.Kind]string{}}
	for _, kind := range of {
		c.kinds[kind.Name] = kind
	}
	return c
}

// add adds the informers of a kind. Until their caches are complete, those of the kind's
// earlier informers are read too.
func (c *caches) add(kind kinds.Kind, version string, added []*informer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.informers[kind.Name] = append(slices.Clone(added), c.informers[kind.Name]...)
	c.served[kind.Name] = version
}

// remove removes informers that have been stopped.
func (c *caches) remove(kind unit.Kind, stopped []*informer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(c.informers[kind]), func(i *informer) bool { return slices.Contains(stopped, i) })
	c.informers[kind] = left
	if len(left) == 0 {
		delete(c.informers, kind)
		delete(c.served, kind)
	}
}

// all returns the informers of all kinds.
func (c *caches) all() (all []*informer) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, informers := range c.informers {
		all = append(all, informers...)
	}
	return all
}

// metadataListed returns checkers that are done once all kinds that are watched as metadata
// are listed.
func (c *caches) metadataListed() (listed []cache.DoneChecker) {
	for _, informer := range c.all() {
		if informer.kind.Fetch != nil {
			listed = append(listed, informer.handler.HasSyncedChecker())
		}
	}
	return listed
}

// resource returns the resource of a kind in the version in which it is read.
func (c *caches) resource(kind unit.Kind) schema.GroupVersionResource {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if version, ok := c.served[kind]; ok {
		return c.kinds[kind].In(version)
	}
	return c.kinds[kind].Resource
}

// get returns the cached object, or nil.
func (c *caches) get(key unit.Key) unit.Object {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, informer := range c.informers[key.Kind] {
		if object := informer.get(key); object != nil {
			return object
		}
	}
	return nil
}

// ignored returns the fields of the cached object that are not read.
func (c *caches) ignored(key unit.Key) []kinds.IgnoredField {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, informer := range c.informers[key.Kind] {
		if informer.get(key) != nil {
			return informer.ignored.of(key)
		}
	}
	return nil
}

// ownedBy returns the cached objects of a kind that a Gateway owns.
func (c *caches) ownedBy(gateway unit.Key, kind unit.Kind) (objects []unit.Object) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, informer := range c.informers[kind] {
		objects = append(objects, informer.ownedBy(gateway)...)
	}
	return objects
}

// observe registers a function that is called with every change of a cached object, including
// those that are not delivered. It must be called before any informer runs.
func (c *caches) observe(observer func(unit.Key)) { c.observers = append(c.observers, observer) }

// observed calls the observers.
func (c *caches) observed(key unit.Key) {
	for _, observer := range c.observers {
		observer(key)
	}
}
