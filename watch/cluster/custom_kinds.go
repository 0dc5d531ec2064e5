package cluster

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// customKinds watches the custom kinds that are served, each in one version.
type customKinds struct {
	changes *watch.Queue
	caches  *caches
	factory informerFactory
	contact *contact
	states  *kindStates
	// look starts discovery again. It does not block.
	look func()

	kinds   []kinds.Kind
	running map[unit.Kind]*versionWatch
}

// follow starts and stops watches so that they match the served version of each kind. At the
// start, the served kinds keep batches incomplete until they are listed.
func (c *customKinds) follow(ctx context.Context, served map[unit.Kind]string, atStart bool) {
	for _, kind := range c.kinds {
		version, running := served[kind.Name], c.running[kind.Name]
		switch {
		case version != "" && running == nil:
			c.start(ctx, kind, version, newDelivered(c.changes), atStart)
		case version == "" && running != nil:
			c.drop(kind, running.delivered, c.halt(running))
			delete(c.running, kind.Name)
		case version != "" && running.version != version:
			// The objects of the old version stay until the new one has been listed, so that no
			// route is lost meanwhile.
			c.start(ctx, kind, version, running.delivered, atStart, c.halt(running)...)
		}
	}
}

// start watches a kind in a version. The objects of the replaced informers stay until that
// version is listed.
func (c *customKinds) start(ctx context.Context, kind kinds.Kind, version string, delivered *delivered, atStart bool, replaced ...*informer) {
	started := &versionWatch{owner: c, version: version, delivered: delivered, replaced: replaced}
	informers, err := c.factory.informers(kind, kind.In(version), started)
	if err != nil {
		c.contact.failed(kind.Resource.Resource, err)
		return
	}
	c.caches.add(kind, version, informers)
	ctx, started.cancel = context.WithCancel(ctx)
	started.informers = informers
	c.running[kind.Name] = started
	for _, informer := range informers {
		if atStart {
			c.changes.Expect(informer)
		}
		started.done.Go(func() { informer.run(ctx) })
	}
	started.done.Go(func() { started.dropReplaced(ctx, kind) })
}

// halt ends the watches of a version. It returns all informers whose objects are still cached.
func (c *customKinds) halt(running *versionWatch) []*informer {
	running.cancel()
	running.done.Wait()
	stopped := append(running.replaced, running.informers...)
	c.states.forget(stopped)
	return stopped
}

// drop delivers the deletion of the objects that the stopped informers delivered last.
func (c *customKinds) drop(kind kinds.Kind, delivered *delivered, stopped []*informer) {
	c.caches.remove(kind.Name, stopped)
	for _, informer := range stopped {
		for _, key := range delivered.drop(informer) {
			c.caches.observed(key)
		}
		c.changes.Arrived(informer)
	}
}

// versionWatch watches a custom kind in one version.
type versionWatch struct {
	owner     *customKinds
	version   string
	informers []*informer
	delivered *delivered
	cancel    context.CancelFunc
	done      sync.WaitGroup
	// replaced are the informers of earlier versions, whose objects are still cached.
	replaced []*informer
}

// dropReplaced drops the objects of earlier versions once this one is listed.
func (w *versionWatch) dropReplaced(ctx context.Context, kind kinds.Kind) {
	var listed []cache.DoneChecker
	for _, informer := range w.informers {
		listed = append(listed, informer.handler.HasSyncedChecker())
	}
	if len(w.replaced) > 0 && cache.WaitFor(ctx, "", listed...) {
		w.owner.drop(kind, w.delivered, w.replaced)
		w.replaced = nil
	}
}

// changed implements subscriber.
func (w *versionWatch) changed(by *informer, key unit.Key, object unit.Object) {
	w.delivered.put(by, key, object)
	w.owner.caches.observed(key)
}

func (w *versionWatch) unread(key unit.Key) { w.owner.caches.observed(key) }

func (w *versionWatch) listed(by *informer) {
	w.owner.states.permit(by)
	w.owner.changes.Arrived(by)
}

func (w *versionWatch) forbidden(by *informer, _ error) {
	w.owner.states.refuse(by)
	w.owner.changes.Arrived(by)
}

// failed starts discovery again if this version is no longer served.
func (w *versionWatch) failed(by *informer, err error) {
	if apierrors.IsNotFound(err) {
		w.owner.look()
		return
	}
	w.owner.contact.failed(by.resource.Resource, err)
}
