package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// pollInterval is how often the API server is asked for its kinds if the
// CustomResourceDefinitions may not be watched.
const pollInterval = 30 * time.Second

// A kind that is defined but not served is reported as unsupported once fewer than
// stepsToDecide steps of [backoff] are left. Discovery has had 3 s by then.
const stepsToDecide = 5

var customResourceDefinitions = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// definitions watches the CustomResourceDefinitions of our kinds. A change of one starts
// discovery, which says which kinds are served, and in which versions.
type definitions struct {
	clients  *Clients
	changes  *watch.Queue
	contact  *contact
	log      *slog.Logger
	custom   *customKinds
	informer cache.SharedIndexInformer

	look    chan struct{}
	refused sync.Once
	polling chan struct{} // closed if the definitions may not be watched
	// redefined is set when the spec of a definition has changed. Discovery may not show it
	// yet.
	redefined atomic.Bool
}

// newDefinitions returns definitions that do not run yet. It sets the custom kinds' look.
func newDefinitions(clients *Clients, changes *watch.Queue, contact *contact, log *slog.Logger, custom *customKinds) *definitions {
	d := &definitions{clients: clients, changes: changes, contact: contact, log: log, custom: custom,
		look: make(chan struct{}, 1), polling: make(chan struct{})}
	custom.look = d.lookAgain
	d.informer = d.newInformer()
	return d
}

// run starts and stops the watches of the custom kinds until the context ends.
func (d *definitions) run(ctx context.Context) {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { d.informer.RunWithContext(ctx) })

	again, settle, next := backoff(), wait.Backoff{}, time.Duration(0)
	atStart := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.look:
			again = backoff()
		case <-after(next):
		}
		if d.redefined.Swap(false) {
			settle = settling()
		}
		served, err := newDiscovery(d.clients).served(ctx, d.custom.kinds)
		if err != nil {
			d.contact.failed("apis", err)
			next = again.Step()
			continue
		}
		d.custom.follow(ctx, served, atStart)
		atStart = false
		d.changes.Arrived(d)
		next = d.next(served, &again)
		if settle.Steps > 0 && next < 0 {
			next = settle.Step()
		}
	}
}

// backoff returns the pauses between discoveries while they lag behind the definitions.
func backoff() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 9, Cap: pollInterval}
}

// settling returns the pauses between discoveries after a definition has changed. Discovery
// lags a little behind, and nothing else shows a new version.
func settling() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 8}
}

// after is time.After that never fires for a negative duration.
func after(d time.Duration) <-chan time.Time {
	if d < 0 {
		return nil
	}
	return time.After(d)
}

// next sets the states of the kinds and returns the pause before the next discovery. A
// negative one means that discovery waits for a change of a definition.
func (d *definitions) next(served map[unit.Kind]string, again *wait.Backoff) time.Duration {
	polls := d.polls()
	behind := false
	var known []KindState
	for _, kind := range d.custom.kinds {
		version := served[kind.Name]
		_, defined, _ := d.informer.GetStore().GetByKey(kind.Resource.GroupResource().String())
		agree := defined == (version != "") && d.informer.HasSynced()
		if agree || polls || version != "" || again.Steps < stepsToDecide {
			known = append(known, stateOf(kind, version, defined))
		}
		behind = behind || !agree
	}
	d.custom.states.set(known...)
	switch {
	case polls:
		return wait.Jitter(pollInterval, 0.5)
	case behind:
		return again.Step()
	}
	return -1
}

// polls reports whether the definitions may not be watched.
func (d *definitions) polls() bool {
	select {
	case <-d.polling:
		return true
	default:
		return false
	}
}

// lookAgain makes run start discovery again.
func (d *definitions) lookAgain() {
	select {
	case d.look <- struct{}{}:
	default:
	}
}

func (d *definitions) newInformer() cache.SharedIndexInformer {
	informer := metadatainformer.NewFilteredMetadataInformer(d.clients.Metadata,
		customResourceDefinitions, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
	// These return errors only for informers that run or were stopped.
	_ = informer.SetTransform(bundleOnly)
	_ = informer.SetWatchErrorHandlerWithContext(d.failed)
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(added any) { d.changed(added, false) },
		UpdateFunc: func(before, after any) {
			if generation(before) != generation(after) {
				d.redefined.Store(true)
			}
			d.changed(after, false)
		},
		DeleteFunc: func(last any) { d.changed(last, true) },
	})
	return informer
}

// changed delivers a definition of one of our kinds if it names its bundle, and starts
// discovery again.
func (d *definitions) changed(received any, gone bool) {
	name, err := cache.DeletionHandlingMetaNamespaceKeyFunc(received)
	if err != nil || !d.ours(name) {
		return
	}
	key := unit.CustomResourceDefinition.Key("", name)
	definition, _ := received.(*metav1.PartialObjectMetadata)
	switch {
	case gone:
		d.changes.Put(key, nil)
	case definition != nil && len(definition.Annotations) > 0:
		d.changes.Put(key, definition)
	}
	d.lookAgain()
}

func (d *definitions) ours(name string) bool {
	for _, kind := range d.custom.kinds {
		if kind.Resource.GroupResource().String() == name {
			return true
		}
	}
	return false
}

func generation(definition any) int64 {
	if object, ok := definition.(metav1.Object); ok {
		return object.GetGeneration()
	}
	return 0
}

// bundleOnly keeps the name of a definition, its resource version and generation, and the
// release of its bundle.
func bundleOnly(received any) (any, error) {
	if object, ok := received.(*metav1.PartialObjectMetadata); ok {
		kept := metav1.ObjectMeta{Name: object.Name, ResourceVersion: object.ResourceVersion, Generation: object.Generation}
		if version, ok := object.Annotations[consts.BundleVersionAnnotation]; ok {
			kept.Annotations = map[string]string{consts.BundleVersionAnnotation: version}
		}
		object.ObjectMeta = kept
	}
	return received, nil
}

func (d *definitions) failed(_ context.Context, _ *cache.Reflector, err error) {
	if !apierrors.IsForbidden(err) {
		d.contact.failed(customResourceDefinitions.Resource, err)
		return
	}
	d.refused.Do(func() {
		d.log.Info("polling for custom kinds because the gateway may not list CustomResourceDefinitions", "interval", pollInterval, "reason", err)
		close(d.polling)
		d.lookAgain()
	})
}
