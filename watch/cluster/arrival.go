package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-sync/kube-sync/translate/unit"
)

const (
	// arrivalStep is the pause between two looks at the caches.
	arrivalStep = 50 * time.Millisecond
	// arrivalChunk is the number of objects in one answer.
	arrivalChunk = 500
)

// handled is the newest version of an object that an informer's handlers have passed on. The cache is
// ahead of them.
type handled struct {
	mu      sync.Mutex
	version string
}

func (h *handled) note(object any) {
	if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	seen, ok := object.(metav1.Object)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if newer(seen.GetResourceVersion(), h.version) {
		h.version = seen.GetResourceVersion()
	}
}

// passed reports whether a version, or a newer one, was passed on.
func (h *handled) passed(version string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !newer(version, h.version)
}

// newer reports whether a version is newer than another one. Every version is newer than none.
func newer(version, than string) bool {
	if version == "" || than == "" {
		return version != ""
	}
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order > 0
}

// listing is what the API server holds of one kind in one scope.
type listing struct {
	informer *informer
	// at is the version of the list, versions are those of its objects.
	at       string
	versions map[unit.Key]string
	newest   string
}

// AwaitArrival returns nil once every object that the API server holds at the time of the call has been
// put into the queue in that state or a newer one. It costs one list of the metadata of each kind. The
// error says what is missing when the context ends.
func (c *Cluster) AwaitArrival(ctx context.Context) error {
	var listings []listing
	for _, i := range c.caches.all() {
		l, err := c.list(ctx, i)
		if err != nil {
			return err
		}
		if l != nil {
			listings = append(listings, *l)
		}
	}
	for again := false; ; {
		missing := c.missing(listings)
		switch {
		case missing != "":
			again = false
		case again: // handlers may still run for what the caches had the last time
			return nil
		default:
			again = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", missing, ctx.Err())
		case <-time.After(arrivalStep):
		}
	}
}

// list lists what an informer watches; nil if it may not, or if the kind is not defined.
func (c *Cluster) list(ctx context.Context, i *informer) (*listing, error) {
	l := &listing{informer: i, versions: map[unit.Key]string{}}
	options := metav1.ListOptions{Limit: arrivalChunk}
	for {
		i.tweak(&options)
		page, err := c.clients.Metadata.Resource(i.resource).Namespace(i.scope.namespace).List(ctx, options)
		switch {
		case apierrors.IsNotFound(err), apierrors.IsForbidden(err) && i.scope.optional:
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("list %s: %w", i.resource.Resource, err)
		}
		for n := range page.Items {
			item := &page.Items[n]
			l.versions[i.kind.Key(item)] = item.ResourceVersion
			if newer(item.ResourceVersion, l.newest) {
				l.newest = item.ResourceVersion
			}
		}
		l.at, options.Continue = page.ResourceVersion, page.Continue
		if options.Continue == "" {
			return l, nil
		}
	}
}

// missing returns what has not arrived; empty if everything has.
func (c *Cluster) missing(listings []listing) string {
	running := map[*informer]bool{}
	for _, i := range c.caches.all() {
		running[i] = true
	}
	for _, l := range listings {
		if !running[l.informer] { // the kind's definition is gone, or another version is read
			continue
		}
		if key, ok := l.behind(); ok {
			return key.String() + " has not arrived"
		}
	}
	if key, ok := c.wanted.behind(); ok {
		return key.String() + " has not been fetched"
	}
	return ""
}

// behind returns an object of which the informer has an older state.
func (l listing) behind() (unit.Key, bool) {
	for key, version := range l.versions {
		cached := l.informer.get(key)
		if cached == nil {
			if !l.informer.handled.passed(version) { // otherwise it was deleted meanwhile
				return key, true
			}
			continue
		}
		if newer(version, cached.GetResourceVersion()) {
			return key, true
		}
	}
	for _, cached := range l.informer.shared.GetStore().List() {
		object, ok := cached.(unit.Object)
		if !ok {
			continue
		}
		key := l.informer.kind.Key(object)
		if _, exists := l.versions[key]; !exists && !newer(object.GetResourceVersion(), l.at) {
			return key, true // its deletion has not arrived
		}
	}
	if !l.informer.handled.passed(l.newest) {
		return l.informer.kind.Name.Key("", "(the last change)"), true
	}
	return unit.Key{}, false
}

// behind returns a wanted object whose metadata is newer than what was delivered.
func (w *wanted) behind() (unit.Key, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, want := range w.objects {
		if metadata := w.caches.get(key); metadata != nil && metadata.GetResourceVersion() != want.version {
			return key, true
		}
	}
	return unit.Key{}, false
}
