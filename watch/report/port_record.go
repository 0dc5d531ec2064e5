package report

import (
	"context"
	"log/slog"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// portRecord writes the record of the ports that Gateways have. The record replaces the
// version from which it was computed. If the cluster has another version, the translation
// reads that one soon and reports the next record.
type portRecord struct {
	reconciler[*corev1.ConfigMap] // nothing but owned.Ports
	cluster                       applier
	log                           *slog.Logger
	// changed is called after the record was written, or its write was forbidden.
	changed func()

	mu      sync.Mutex
	written *corev1.ConfigMap // nil until the record is known to be in the cluster
	denied  string            // why the record may not be written; "" if it may
}

func newPortRecord(cluster applier, log *slog.Logger, changed func()) *portRecord {
	p := &portRecord{cluster: cluster, log: log, changed: changed}
	p.reconciler = reconciler[*corev1.ConfigMap]{write: p.write, desired: map[unit.Key]*corev1.ConfigMap{}}
	return p
}

func (p *portRecord) report(r Report) {
	p.change(r.Object, func(*corev1.ConfigMap, bool) (record *corev1.ConfigMap, keep bool) {
		for _, object := range r.Owned {
			if configMap, ok := object.(*corev1.ConfigMap); ok {
				record, keep = configMap, true
			}
		}
		return record, keep
	})
}

// has reports whether the written record has the ports of all Services among the objects. If
// it does not, it returns why the record may not be written; "" if it may.
func (p *portRecord) has(objects []unit.Object) (recorded bool, denied string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, object := range objects {
		if service, ok := object.(*corev1.Service); ok && !owned.Recorded(p.written, service) {
			return false, p.denied
		}
	}
	return true, ""
}

// reset forgets what was written, as another replica may have written since.
func (p *portRecord) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written = nil
}

// write writes the record.
func (p *portRecord) write(ctx context.Context, _ unit.Key, record *corev1.ConfigMap) (again bool) {
	key, denied := keyOf(record), ""
	_, err := p.cluster.Apply(ctx, key, record)
	switch {
	case apierrors.IsConflict(err):
		return true // the translation has not read the latest version yet
	case apierrors.IsForbidden(err):
		denied = err.Error() + howToPermit
	case err != nil:
		p.log.Warn("cannot write the record of the ports that Gateways have", "object", key.String(), "error", err)
		return true
	}
	p.mu.Lock()
	if p.denied = denied; denied == "" {
		p.written = record
	}
	p.mu.Unlock()
	p.changed()
	return denied != ""
}
