package report

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/clientlog"
)

// Options say what to write to a cluster.
type Options struct {
	// UpdateStatus enables statuses and the Services that Gateways own. Programmed Ingresses
	// get the gateway's addresses: Addresses, which are IP addresses or host names, or else
	// those of PublishService. Without either they get none.
	UpdateStatus   bool
	PublishService *types.NamespacedName
	Addresses      []string
	// PublishServiceUDP and AddressesUDP are the same for UDPIngresses, if those have a load
	// balancer of their own.
	PublishServiceUDP *types.NamespacedName
	AddressesUDP      []string
	// EmitEvents enables a Warning for each verdict that is not OK. The same one is not
	// repeated within EventWindow, default 1 h.
	EmitEvents  bool
	EventWindow time.Duration
	// Lease has one holder at a time, and only the holder writes.
	Lease LeaseOptions
	// ReportingInstance is the name of the pod, which identifies the holder of the Lease and the
	// source of Events. It defaults to the host name, which in a pod is the pod's name.
	ReportingInstance string
	// Written, if set, is called after each attempt to write a status. It must not block.
	Written func(StatusWrite)
	// Log defaults to slog.Default().
	Log *slog.Logger
}

// StatusWrite is an attempt to write the status of an object.
type StatusWrite struct {
	Object unit.Key
	// Change is that of the report with the status.
	Change uint64
	Began  time.Time
	// Err is nil if the status was written. Stale means that the object has changed; writing it is
	// tried again.
	Err   error
	Stale bool
}

func (o Options) withDefaults() (_ Options, err error) {
	if o.Lease, err = o.Lease.withDefaults(); err != nil {
		return o, fmt.Errorf("status writer: %w", err)
	}
	if o.ReportingInstance == "" {
		if o.ReportingInstance, err = os.Hostname(); err != nil {
			return o, fmt.Errorf("status writer: no name for this instance: %w", err)
		}
	}
	if o.EventWindow == 0 {
		o.EventWindow = time.Hour
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Written == nil {
		o.Written = func(StatusWrite) {}
	}
	return o, nil
}

// Cluster is what a [Writer] reads from and writes to.
type Cluster interface {
	loadBalancerCluster
	conditionsCluster
	ownedCluster
	eventCluster
	serviceFollower
	// Leases returns the client for Leases. No rate limit may delay its requests.
	Leases() coordinationv1client.LeasesGetter
}

// writer writes one aspect of reports.
type writer interface {
	report(r Report)
	// lead writes until the context ends, starting with everything reported so far.
	lead(ctx context.Context)
}

// Writer writes reports to a cluster while it holds the Lease. It writes only differences.
type Writer struct {
	options Options
	leases  coordinationv1client.LeasesGetter
	writers []writer
	leading atomic.Bool
}

// NewWriter returns a writer that writes when it is run. It must be called before the cluster
// runs.
func NewWriter(cluster Cluster, options Options) (*Writer, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Writer{options: options, leases: cluster.Leases()}
	if options.UpdateStatus {
		w.writers = append(w.writers, statusWriters(cluster, options)...)
	}
	if options.EmitEvents {
		w.writers = append(w.writers, newEvents(cluster, options.ReportingInstance, options.EventWindow))
	}
	return w, nil
}

// statusWriters returns the writers of statuses and owned Services.
func statusWriters(cluster Cluster, options Options) []writer {
	addresses := newGatewayAddresses(cluster, options.PublishService, options.Addresses)
	byKind := map[unit.Kind]*gatewayAddresses{}
	if options.PublishServiceUDP != nil || len(options.AddressesUDP) > 0 {
		byKind[unit.UDPIngress] = newGatewayAddresses(cluster, options.PublishServiceUDP, options.AddressesUDP)
	}
	writes := statusWrites{options.Log, options.Written}
	owned := newOwnedServices(cluster, options.Log)
	conditions := newConditions(cluster, addresses, owned.deniedTo, writes)
	owned.deniedChanged = conditions.rewrite
	return []writer{newLoadBalancerStatuses(cluster, addresses, byKind, writes), conditions, owned}
}

// Report takes reports. It does not wait for the network.
func (w *Writer) Report(reports ...Report) {
	for _, report := range reports {
		for _, writer := range w.writers {
			writer.report(report)
		}
	}
}

// Leading reports whether this writer holds the Lease.
func (w *Writer) Leading() bool { return w.leading.Load() }

// Run writes whenever it holds the Lease, until the context ends; then it releases the Lease. It
// returns an error only if a setting is invalid.
func (w *Writer) Run(ctx context.Context) error {
	if len(w.writers) == 0 {
		<-ctx.Done()
		return nil
	}
	ctx = clientlog.NewContext(ctx, w.options.Log)
	return w.options.Lease.hold(ctx, w.leases, w.options.ReportingInstance, w.lead)
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
	for _, writer := range w.writers {
		writing.Go(func() { writer.lead(ctx) })
	}
	writing.Wait()
}
