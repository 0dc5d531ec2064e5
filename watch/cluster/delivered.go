package cluster

import (
	"sync"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// delivered are the delivered objects of a custom kind, each with the informer that delivered
// it last. They outlive their informers: a stopped informer may not report its last deletions.
type delivered struct {
	changes *watch.Queue

	mu      sync.Mutex
	objects map[unit.Key]*informer
}

func newDelivered(changes *watch.Queue) *delivered {
	return &delivered{changes: changes, objects: map[unit.Key]*informer{}}
}

// put delivers an object; nil if it is gone.
func (d *delivered) put(by *informer, key unit.Key, object unit.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes.Put(key, object)
	if object != nil {
		d.objects[key] = by
	} else {
		delete(d.objects, key)
	}
}

// drop delivers the deletion of the objects that a stopped informer delivered last, and
// returns their keys.
func (d *delivered) drop(stopped *informer) (dropped []unit.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, by := range d.objects {
		if by == stopped {
			d.changes.Put(key, nil)
			delete(d.objects, key)
			dropped = append(dropped, key)
		}
	}
	return dropped
}
