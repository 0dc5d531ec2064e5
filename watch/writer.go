package watch

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// WriterOptions say what to write back to a cluster.
type WriterOptions struct {
	// UpdateStatus has the addresses of the gateway written into the Ingresses
	// that are programmed: Addresses, IPs or host names, or else those of the
	// Service. Without either nothing is written. It is also what has the objects made
	// that Gateways own.
	UpdateStatus   bool
	PublishService *types.NamespacedName
	Addresses      []string
	// PublishServiceUDP and AddressesUDP are for UDPIngresses alone, if there are any: not
	// every network has one load balancer for both.
	PublishServiceUDP *types.NamespacedName
	AddressesUDP      []string
	// EmitEvents has a Warning written for each verdict that isn't OK. The same
	// one isn't repeated within the EventWindow, default 1 h.
	EmitEvents  bool
	EventWindow time.Duration
	// Lease is what only one writer at a time holds.
	Lease LeaseOptions
	// ReportingInstance is the name of the pod; it identifies the lease's holder
	// and the events. Defaults to the host's name, which in a pod is the same.
	ReportingInstance string
	// Log defaults to slog.Default().
	Log *slog.Logger
}

// Writer is the reporter for a cluster. All replicas take reports; the one that
// holds the lease makes them known, and only what differs.
type Writer struct {
	options  WriterOptions
	cluster  *Cluster
	statuses *statuses     // nil if not wanted
	wholes   *wholes       // nil if not wanted
	owned    *ownedObjects // nil if not wanted
	events   *events       // nil if not wanted
	leading  atomic.Bool
}

// NewWriter returns a writer over the cluster's cache. It has to be made before
// the cluster is run.
func NewWriter(cluster *Cluster, options WriterOptions) (*Writer, error) {
	var err error
	if options.Lease, err = options.Lease.withDefaults(); err != nil {
		return nil, fmt.Errorf("status writer: %w", err)
	}
	if options.ReportingInstance == "" {
		if options.ReportingInstance, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("status writer: no name for this instance: %w", err)
		}
	}
	if options.EventWindow == 0 {
		options.EventWindow = time.Hour
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	w := &Writer{options: options, cluster: cluster}
	if options.UpdateStatus {
		published := newPublished(cluster, options.PublishService, options.Addresses)
		w.statuses = newStatuses(cluster, published, options.Log)
		if options.PublishServiceUDP != nil || len(options.AddressesUDP) > 0 {
			w.statuses.apart(unit.UDPIngress, newPublished(cluster, options.PublishServiceUDP, options.AddressesUDP))
		}
		w.owned = newOwned(cluster, options.Log)
		w.wholes = newWholes(cluster, published, w.owned, options.Log)
	}
	if options.EmitEvents {
		w.events = newEvents(cluster, options.ReportingInstance, options.EventWindow)
	}
	return w, nil
}

// Report implements [Reporter].
func (w *Writer) Report(reports ...Report) {
	for _, report := range reports {
		if w.statuses != nil {
			w.statuses.report(report)
			w.wholes.report(report)
			w.owned.report(report)
		}
		if w.events != nil {
			w.events.report(report)
		}
	}
}

// Leading tells whether this writer holds the lease.
func (w *Writer) Leading() bool { return w.leading.Load() }

// Run writes whenever the lease is held, until the context ends; then it gives
// the lease back. An error is a setting that can't be.
func (w *Writer) Run(ctx context.Context) error {
	if w.statuses == nil && w.events == nil {
		<-ctx.Done()
		return nil
	}
	ctx = withLog(ctx, w.options.Log)
	return w.options.Lease.hold(ctx, w.cluster.clients.lease, w.options.ReportingInstance, w.lead)
}

func (w *Writer) lead(ctx context.Context) {
	log := w.options.Log.With("lease", w.options.Lease.Namespace+"/"+w.options.Lease.Name)
	log.Info("writing statuses and events")
	w.leading.Store(true)
	defer func() {
		w.leading.Store(false)
		log.Info("no longer writing statuses and events")
	}()
	var writing sync.WaitGroup
	if w.statuses != nil {
		writing.Go(func() { w.statuses.lead(ctx) })
		writing.Go(func() { w.wholes.lead(ctx) })
		writing.Go(func() { w.owned.lead(ctx) })
	}
	if w.events != nil {
		writing.Go(func() { w.events.lead(ctx) })
	}
	writing.Wait()
}
