package report

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// addressPatience is how long conditions wait for the addresses of the gateway, which may not
// be permitted to read its Service.
const addressPatience = 5 * time.Second

// conditionsCluster is the part of a cluster that conditions need.
type conditionsCluster interface {
	objects
	statusPatcher
	// Kind returns the row of a watched kind.
	Kind(kind unit.Kind) kinds.Kind
}

// conditions writes the statuses that the translation computes, most of which are conditions.
// A status is merged into that of the object: what other controllers wrote there stays, and
// it is not written if nothing differs.
type conditions struct {
	reconciler[desiredStatus]
	cluster   conditionsCluster
	addresses *gatewayAddresses
	// denied returns why the objects that a Gateway owns may not be written; "" if they may.
	denied func(unit.Key) string
	writes statusWrites
}

// desiredStatus is the desired status of an object.
type desiredStatus struct {
	status unit.Status
	// change is that of the report with the status.
	change uint64
	// base is the version of the object that the last patch with the status was for. The
	// patch is not repeated until the cache has another version.
	base string
}

func newConditions(cluster conditionsCluster, addresses *gatewayAddresses, denied func(unit.Key) string, writes statusWrites) *conditions {
	c := &conditions{cluster: cluster, addresses: addresses, denied: denied, writes: writes}
	c.reconciler = reconciler[desiredStatus]{
		write:   c.write,
		forget:  func(d desiredStatus) desiredStatus { return desiredStatus{status: d.status, change: d.change} },
		desired: map[unit.Key]desiredStatus{},
	}
	cluster.Observe(c.again)
	addresses.observe(c.rewriteAll)
	return c
}

func (c *conditions) report(r Report) {
	c.change(r.Object, func(desiredStatus, bool) (desiredStatus, bool) {
		return desiredStatus{status: r.Status, change: r.Change}, !r.Gone && r.Status != nil
	})
}

// lead writes until the context ends, starting with all objects.
func (c *conditions) lead(ctx context.Context) {
	// Without the addresses everything would be written twice.
	select {
	case <-c.addresses.known:
	case <-time.After(addressPatience):
	case <-ctx.Done():
	}
	c.reconciler.lead(ctx)
}

// write writes the status of one object if it differs.
func (c *conditions) write(ctx context.Context, key unit.Key, desired desiredStatus) (again bool) {
	object := c.cluster.Get(key)
	if object == nil || desired.base == object.GetResourceVersion() {
		return false
	}
	now := unit.Moment{Time: metav1.Now(), Addresses: c.addresses.values(), Denied: c.denied(key)}
	status, differs := desired.status.Merge(object, now)
	if !differs {
		return false
	}
	patch, err := replacementPatch(c.cluster.Kind(key.Kind), object, status)
	if err == nil {
		err = c.writes.patch(ctx, c.cluster, key, object.GetResourceVersion(), desired.change, patch)
	}
	if err != nil {
		return c.writes.failed(key, desired.change, err)
	}
	c.note(key, func(d desiredStatus) (desiredStatus, bool) {
		// Not by ==, which panics for statuses that hold a slice.
		if reflect.DeepEqual(d.status, desired.status) {
			d.base = object.GetResourceVersion()
		}
		return d, true
	})
	return false
}

// replacementPatch returns a merge patch that replaces the status of an object. A merge patch keeps
// the fields that it does not name, so it names those to remove.
func replacementPatch(kind kinds.Kind, object unit.Object, status any) (map[string]any, error) {
	var have struct{ Status map[string]any }
	var patch map[string]any
	if err := errors.Join(convert(object, &have), convert(status, &patch)); err != nil {
		return nil, err
	}
	if kind.Complete != nil {
		kind.Complete(object, patch)
	}
	for field := range have.Status {
		if _, stays := patch[field]; !stays {
			patch[field] = nil
		}
	}
	return patch, nil
}

// convert reads the JSON of a value into another.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}
