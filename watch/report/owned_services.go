package report

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ownedCluster is the part of a cluster that owned Services need.
type ownedCluster interface {
	objects
	applier
	// OwnedBy returns the cached objects of a kind that a Gateway owns.
	OwnedBy(gateway unit.Key, kind unit.Kind) []unit.Object
	// Delete deletes the object that has the UID, unless it is gone.
	Delete(ctx context.Context, key unit.Key, uid types.UID) error
}

// ownedServices writes the objects that Gateways own: a Service, and EndpointSlices with Kong's
// endpoints. They are applied, so that what other controllers add to them stays. An
// owned object that is no longer desired is deleted; Kubernetes deletes those of a Gateway
// that is gone. A Service is written once the port record has its ports.
type ownedServices struct {
	reconciler[[]unit.Object] // by Gateway
	cluster                   ownedCluster
	log                       *slog.Logger
	ports                     *portRecord
	// deniedChanged is called with the Gateway whose objects are denied, or no longer denied.
	deniedChanged func(gateway unit.Key)

	mu      sync.Mutex
	gateway map[unit.Key]unit.Key // by owned object
	denied  map[unit.Key]string   // by Gateway: why its objects may not be written
	applied map[unit.Key]applied  // by owned object
}

// applied is an object as it was applied, and the version that it had after that.
type applied struct {
	object  unit.Object
	version string
}

func newOwnedServices(cluster ownedCluster, log *slog.Logger) *ownedServices {
	o := &ownedServices{cluster: cluster, log: log, deniedChanged: func(unit.Key) {},
		gateway: map[unit.Key]unit.Key{}, denied: map[unit.Key]string{}, applied: map[unit.Key]applied{}}
	o.reconciler = reconciler[[]unit.Object]{write: o.write, desired: map[unit.Key][]unit.Object{}}
	o.ports = newPortRecord(cluster, log, o.rewriteAll)
	cluster.Observe(o.observed)
	return o
}

// deniedTo returns why the objects of a Gateway may not be written; "" if they may.
func (o *ownedServices) deniedTo(gateway unit.Key) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.denied[gateway]
}

// deny sets why the objects of a Gateway may not be written; "" if they may.
func (o *ownedServices) deny(gateway unit.Key, why string) {
	o.mu.Lock()
	before := o.denied[gateway]
	if why == "" {
		delete(o.denied, gateway)
	} else {
		o.denied[gateway] = why
	}
	o.mu.Unlock()
	if why == before {
		return
	}
	if why != "" {
		o.log.Warn("the Service of a Gateway may not be written", "owner", gateway.String(), "reason", why)
	}
	o.deniedChanged(gateway)
}

func (o *ownedServices) report(r Report) {
	if r.Object == owned.Ports {
		o.ports.report(r)
	}
	if r.Object.Kind != unit.Gateway {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.change(r.Object, func(before []unit.Object, _ bool) ([]unit.Object, bool) {
		for _, object := range before {
			delete(o.gateway, keyOf(object))
		}
		if r.Gone && o.cluster.Get(r.Object) == nil {
			delete(o.denied, r.Object)
			return nil, false
		}
		for _, object := range r.Owned {
			o.gateway[keyOf(object)] = r.Object
		}
		return r.Owned, true
	})
}

// observed reconciles the Gateway whose object was changed, maybe by another controller.
func (o *ownedServices) observed(key unit.Key) {
	if !slices.Contains(owned.Kinds, key.Kind) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if gateway, ok := o.gateway[key]; ok {
		o.again(gateway)
	}
}

// lead writes until the context ends, starting with the port record and all Gateways.
func (o *ownedServices) lead(ctx context.Context) {
	o.mu.Lock()
	clear(o.applied)
	o.mu.Unlock()
	o.ports.reset()
	var recording sync.WaitGroup
	recording.Go(func() { o.ports.lead(ctx) })
	o.reconciler.lead(ctx)
	recording.Wait()
}

// write applies the objects of one Gateway and deletes the others that it owns.
func (o *ownedServices) write(ctx context.Context, gateway unit.Key, desired []unit.Object) (again bool) {
	if o.cluster.Get(gateway) == nil {
		return false
	}
	if recorded, why := o.ports.has(desired); !recorded {
		o.deny(gateway, why)
		return false
	}
	denied := ""
	for _, object := range desired {
		err := o.apply(ctx, object)
		switch {
		case err == nil:
			continue
		case apierrors.IsForbidden(err):
			denied = cmp.Or(denied, err.Error()+howToPermit)
		default:
			o.log.Warn("cannot write an object", "object", keyOf(object).String(), "owner", gateway.String(), "error", err)
		}
		again = true
	}
	o.deny(gateway, denied)
	for key, uid := range o.surplus(gateway, desired) {
		if err := o.cluster.Delete(ctx, key, uid); err != nil {
			o.log.Warn("cannot delete an object", "object", key.String(), "owner", gateway.String(), "error", err)
			again = true
		}
	}
	return again
}

// apply applies an object unless it was applied before and has not changed since.
func (o *ownedServices) apply(ctx context.Context, object unit.Object) error {
	key := keyOf(object)
	o.mu.Lock()
	last := o.applied[key]
	o.mu.Unlock()
	if now := o.cluster.Get(key); now != nil && last.object == object && now.GetResourceVersion() == last.version {
		return nil
	}
	version, err := o.cluster.Apply(ctx, key, object)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.applied[key] = applied{object, version}
	return nil
}

// surplus returns the objects that a Gateway owns and that are not desired.
func (o *ownedServices) surplus(gateway unit.Key, desired []unit.Object) map[unit.Key]types.UID {
	surplus := map[unit.Key]types.UID{}
	for _, kind := range owned.Kinds {
		for _, object := range o.cluster.OwnedBy(gateway, kind) {
			surplus[kind.Of(object)] = object.GetUID()
		}
	}
	for _, object := range desired {
		delete(surplus, keyOf(object))
	}
	return surplus
}
