package watch

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// portRecord is the record of the ports that Gateways have. It is guarded by the lock of owned.
//
// A record is written in the place of the version that it was made from. If there is another
// version by now, the translation has read that one soon, and reports the next record.
type portRecord struct {
	desired *corev1.ConfigMap // nil without Gateways
	written *corev1.ConfigMap // nil until the record is known to be in the cluster
	denied  string            // why the record may not be written; empty if it may
}

// has reports whether the record has the ports of all Services among the objects.
func (p portRecord) has(objects []unit.Object) bool {
	for _, object := range objects {
		if service, ok := object.(*corev1.Service); ok && !owned.Recorded(p.written, service) {
			return false
		}
	}
	return true
}

// reportPorts takes the record that is to be written. It is called with the lock held.
func (o *ownedObjects) reportPorts(objects []unit.Object) {
	o.ports.desired = nil
	for _, object := range objects {
		if record, ok := object.(*corev1.ConfigMap); ok {
			o.ports.desired = record
			o.enqueue(owned.Ports)
		}
	}
}

// writePorts writes the record, and then the Gateways that waited for it.
func (o *ownedObjects) writePorts(ctx context.Context) (again bool) {
	o.mu.Lock()
	record := o.ports.desired
	o.mu.Unlock()
	if ctx.Err() != nil || record == nil {
		return false
	}
	_, err := o.patch(ctx, record)
	denied := ""
	switch {
	case apierrors.IsConflict(err):
		return true // the translation has not read the latest version yet
	case apierrors.IsForbidden(err):
		denied = err.Error() + howToPermit
	case err != nil:
		o.log.Warn("cannot write the record of the ports that Gateways have", "object", keyOf(record).String(), "error", err)
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ports.denied = denied; denied == "" {
		o.ports.written = record
	}
	o.enqueueGateways()
	return denied != ""
}
