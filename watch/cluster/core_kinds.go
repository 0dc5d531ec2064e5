package cluster

import (
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// coreKinds delivers objects of the kinds that every cluster has.
type coreKinds struct {
	changes *watch.Queue
	caches  *caches
	wanted  *wanted
	contact *contact
}

// changed implements subscriber. A kind that is watched as metadata is delivered by wanted.
func (c *coreKinds) changed(by *informer, key unit.Key, object unit.Object) {
	if by.kind.Fetch != nil {
		c.wanted.changed(key)
	} else {
		c.changes.Put(key, object)
	}
	c.caches.observed(key)
}

func (c *coreKinds) unread(key unit.Key) { c.caches.observed(key) }

func (c *coreKinds) listed(by *informer) { c.changes.Arrived(by) }

func (c *coreKinds) forbidden(by *informer, _ error) { c.changes.Arrived(by) }

func (c *coreKinds) failed(by *informer, err error) { c.contact.failed(by.resource.Resource, err) }
