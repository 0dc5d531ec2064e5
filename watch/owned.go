package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ownedObjects writes the objects that Gateways own: a Service, and the EndpointSlices by which
// it leads to Kong. They are applied as they are to be, what others add to them stays, and
// what is no longer to be there is deleted. Those of a Gateway that is gone go with it. A
// Service is written when the record has its ports.
type ownedObjects struct {
	cluster *Cluster
	log     *slog.Logger

	// told is called with the owner whose objects are denied now, or are no longer.
	told func(owner unit.Key)

	mu      sync.Mutex
	desired map[unit.Key][]unit.Object // by owner
	owner   map[unit.Key]unit.Key      // by desired object
	denied  map[unit.Key]string        // by owner: why its objects may not be written
	applied map[unit.Key]applied       // by object
	ports   portRecord
	work    statusQueue // nil unless leading
}

// howToPermit is for those who meet a gateway without the optional role.
const howToPermit = "; kong-conf/manifests/gatewayservices has the role by which the gateway writes Services, " +
	"and Gateways of a class with the annotation konghq.com/gatewayclass-unmanaged need none"

// ownedKinds are those of the objects that Gateways own.
var ownedKinds = []unit.Kind{unit.Service, unit.EndpointSlice}

// byOwner is the index of what was made for a Gateway: whatever else a namespace has costs
// its Gateways nothing.
const byOwner = "made for a Gateway"

func ownerOf(cached any) ([]string, error) {
	object, ok := cached.(unit.Object)
	if !ok {
		return nil, nil
	}
	if key, ok := owned.KeyOf(object); ok {
		return []string{key}, nil
	}
	return nil, nil
}

// applied is what an object was made to be, and its version by then.
type applied struct {
	object  unit.Object
	version string
}

func newOwned(cluster *Cluster, log *slog.Logger) *ownedObjects {
	o := &ownedObjects{cluster: cluster, log: log, told: func(unit.Key) {},
		desired: map[unit.Key][]unit.Object{}, owner: map[unit.Key]unit.Key{}, denied: map[unit.Key]string{}, applied: map[unit.Key]applied{}}
	cluster.observe(o.observed)
	return o
}

// observeDenials is called before anything runs.
func (o *ownedObjects) observeDenials(told func(owner unit.Key)) { o.told = told }

// deniedTo says why the objects of an owner may not be written; empty if they may.
func (o *ownedObjects) deniedTo(owner unit.Key) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.denied[owner]
}

// deny remembers why the objects of an owner may not be written, and tells when that changes.
func (o *ownedObjects) deny(owner unit.Key, why string) {
	o.mu.Lock()
	before := o.denied[owner]
	if why == "" {
		delete(o.denied, owner)
	} else {
		o.denied[owner] = why
	}
	o.mu.Unlock()
	if why == before {
		return
	}
	if why != "" {
		o.log.Warn("The Service of a Gateway may not be written", "owner", owner.String(), "reason", why)
	}
	o.told(owner)
}

func (o *ownedObjects) report(r Report) {
	if r.Object.Kind != unit.Gateway && r.Object != owned.Ports {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Object == owned.Ports {
		o.reportPorts(r.Owned)
		return
	}
	for _, object := range o.desired[r.Object] {
		delete(o.owner, keyOf(object))
	}
	if r.Gone && o.cluster.Get(r.Object) == nil {
		delete(o.desired, r.Object)
		delete(o.denied, r.Object)
		return
	}
	o.desired[r.Object] = r.Owned
	for _, object := range r.Owned {
		o.owner[keyOf(object)] = r.Object
	}
	o.enqueue(r.Object)
}

// observed looks again at what was changed, maybe by another.
func (o *ownedObjects) observed(key unit.Key) {
	if !slices.Contains(ownedKinds, key.Kind) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if owner, ok := o.owner[key]; ok {
		o.enqueue(owner)
	}
}

func (o *ownedObjects) enqueue(key unit.Key) {
	if o.work != nil {
		o.work.Add(key)
	}
}

func (o *ownedObjects) enqueueAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.applied)
	o.ports.written = nil
	o.enqueue(owned.Ports)
	o.enqueueGateways()
}

func (o *ownedObjects) enqueueGateways() {
	for key := range o.desired {
		o.enqueue(key)
	}
}

// lead writes until the context ends, beginning with all there are.
func (o *ownedObjects) lead(ctx context.Context) { lead(ctx, o.use, o.enqueueAll, o.write) }

func (o *ownedObjects) use(work statusQueue) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.work = work
}

// write brings all that one Gateway owns to what it is to be.
func (o *ownedObjects) write(ctx context.Context, owner unit.Key) (again bool) {
	if owner == owned.Ports {
		return o.writePorts(ctx)
	}
	o.mu.Lock()
	objects := o.desired[owner]
	recorded, why := o.ports.has(objects), o.ports.denied
	o.mu.Unlock()
	if ctx.Err() != nil || o.cluster.Get(owner) == nil {
		return false
	}
	if !recorded {
		o.deny(owner, why)
		return false
	}
	denied := ""
	for _, object := range objects {
		err := o.apply(ctx, object)
		switch {
		case err == nil:
			continue
		case apierrors.IsForbidden(err):
			denied = cmp.Or(denied, err.Error()+howToPermit)
		default:
			o.log.Warn("cannot write an object", "object", keyOf(object).String(), "owner", owner.String(), "error", err)
		}
		again = true
	}
	o.deny(owner, denied)
	for key, uid := range o.surplus(owner, objects) {
		if err := o.remove(ctx, key, uid); err != nil {
			o.log.Warn("cannot delete an object", "object", key.String(), "owner", owner.String(), "error", err)
			again = true
		}
	}
	return again
}

func keyOf(object unit.Object) unit.Key {
	return unit.Key{Kind: unit.Kind(object.GetObjectKind().GroupVersionKind().Kind), Namespace: object.GetNamespace(), Name: object.GetName()}
}

// apply has an object be as given, unless it was made so and nobody changed it.
func (o *ownedObjects) apply(ctx context.Context, object unit.Object) error {
	key := keyOf(object)
	o.mu.Lock()
	last := o.applied[key]
	o.mu.Unlock()
	if now := o.cluster.Get(key); now != nil && last.object == object && now.GetResourceVersion() == last.version {
		return nil
	}
	result, err := o.patch(ctx, object)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.applied[key] = applied{object, result.GetResourceVersion()}
	return nil
}

// patch sends an object to be applied.
func (o *ownedObjects) patch(ctx context.Context, object unit.Object) (metav1.Object, error) {
	key := keyOf(object)
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	force := true
	return o.cluster.clients.dynamic.Resource(o.cluster.resource(key.Kind)).Namespace(key.Namespace).
		Patch(ctx, key.Name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: "kube-sync", Force: &force})
}

// surplus are the objects that are marked as the Gateway's and are not to be.
func (o *ownedObjects) surplus(owner unit.Key, objects []unit.Object) map[unit.Key]types.UID {
	surplus := map[unit.Key]types.UID{}
	for _, kind := range ownedKinds {
		for _, object := range o.cluster.madeFor(kind, owner) {
			surplus[unit.Key{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}] = object.GetUID()
		}
	}
	for _, object := range objects {
		delete(surplus, keyOf(object))
	}
	return surplus
}

func (o *ownedObjects) remove(ctx context.Context, key unit.Key, uid types.UID) error {
	err := o.cluster.clients.dynamic.Resource(o.cluster.resource(key.Kind)).Namespace(key.Namespace).
		Delete(ctx, key.Name, *metav1.NewPreconditionDeleteOptions(string(uid)))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // gone, or another by now
	}
	return err
}
