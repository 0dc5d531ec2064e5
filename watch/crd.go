package watch

import (
	"context"
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
)

// pollInterval is how often the API server is asked for its kinds where we may
// not watch the CustomResourceDefinitions.
const pollInterval = 30 * time.Second

var customResourceDefinitions = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// presence watches the custom kinds that the API server serves, and no others.
// Definitions tell when to look; discovery tells which kinds are Established
// and served in a version that can be read.
type presence struct {
	cluster *Cluster
	kinds   []Kind
	look    chan struct{}
	running map[unit.Kind]*run
	looked  bool
	refused sync.Once
	polling chan struct{} // closed when we may not watch the definitions
	// changed says that a definition has another spec, which discovery may not show yet.
	changed atomic.Bool
	reading *readings
}

func newPresence(c *Cluster, reading func(Reading)) *presence {
	return &presence{
		cluster: c,
		look:    make(chan struct{}, 1),
		running: map[unit.Kind]*run{},
		polling: make(chan struct{}),
		reading: newReadings(reading, c.log),
	}
}

func (p *presence) add(kind Kind) { p.kinds = append(p.kinds, kind) }

func backoff() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 9, Cap: pollInterval}
}

// run starts and stops the informers of the custom kinds until the context ends.
func (p *presence) run(ctx context.Context) {
	definitions := p.definitions()
	p.cluster.running.Go(func() { definitions.RunWithContext(ctx) })

	again, settle, next := backoff(), wait.Backoff{}, time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.look:
			again = backoff()
		case <-after(next):
		}
		if p.changed.Swap(false) {
			settle = settling()
		}
		served, err := p.served(ctx)
		if err != nil {
			p.cluster.failed("apis", err)
			next = again.Step()
			continue
		}
		p.follow(ctx, served)
		p.looked = true
		p.cluster.arrived(p)
		next = p.next(definitions, served, &again)
		if settle.Steps > 0 && next < 0 {
			next = settle.Step()
		}
	}
}

// settling is how long discovery is asked again after a definition has changed: it is a
// little behind, and a version that has come does not show otherwise.
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

// next is when to look again; negative means when a definition changes.
func (p *presence) next(definitions cache.SharedIndexInformer, served map[unit.Kind]string, again *wait.Backoff) time.Duration {
	polls := false
	select {
	case <-p.polling:
		polls = true
	default:
	}
	var behind bool
	var known []Reading
	for _, kind := range p.kinds {
		version := served[kind.Name]
		_, defined, _ := definitions.GetStore().GetByKey(kind.Resource.GroupResource().String())
		agree := defined == (version != "") && definitions.HasSynced()
		if agree || polls || version != "" || again.Steps < patient {
			known = append(known, readingOf(kind, version, defined))
		}
		behind = behind || !agree
	}
	p.reading.say(known...)
	switch {
	case polls:
		return wait.Jitter(pollInterval, 0.5)
	case behind:
		return again.Step() // discovery is a little behind
	}
	return -1
}

// patient is how many steps of the backoff are left when a kind that is defined and not
// served is one that is not served in our versions: discovery has had 3 s by then.
const patient = 5

// definitions is the informer that says when to look.
func (p *presence) definitions() cache.SharedIndexInformer {
	informer := metadatainformer.NewFilteredMetadataInformer(p.cluster.clients.metadata,
		customResourceDefinitions, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
	ours := map[string]bool{}
	for _, kind := range p.kinds {
		ours[kind.Resource.GroupResource().String()] = true
	}
	changed := func(received any, gone bool) {
		name, err := cache.DeletionHandlingMetaNamespaceKeyFunc(received)
		if err != nil || !ours[name] {
			return
		}
		p.tell(name, received, gone)
		p.notify()
	}
	// The errors are of informers that run or were stopped; this one is new.
	_ = informer.SetTransform(bundleOnly)
	_ = informer.SetWatchErrorHandlerWithContext(p.failed)
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(added any) { changed(added, false) },
		UpdateFunc: func(before, after any) {
			if generation(before) != generation(after) {
				p.changed.Store(true)
			}
			changed(after, false)
		},
		DeleteFunc: func(last any) { changed(last, true) },
	})
	return informer
}

// notify makes the presence look again.
func (p *presence) notify() {
	select {
	case p.look <- struct{}{}:
	default:
	}
}

func generation(definition any) int64 {
	if object, ok := definition.(metav1.Object); ok {
		return object.GetGeneration()
	}
	return 0
}

// tell delivers a definition that says which bundle it is of.
func (p *presence) tell(name string, received any, gone bool) {
	key := unit.Key{Kind: unit.CustomResourceDefinition, Name: name}
	definition, _ := received.(*metav1.PartialObjectMetadata)
	switch {
	case gone:
		p.cluster.put(key, nil)
	case definition != nil && len(definition.Annotations) > 0:
		p.cluster.put(key, definition)
	}
}

// bundleOnly keeps of a definition its name, its versions, and which bundle it is of.
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

func (p *presence) failed(_ context.Context, _ *cache.Reflector, err error) {
	if !apierrors.IsForbidden(err) {
		p.cluster.failed(customResourceDefinitions.Resource, err)
		return
	}
	p.refused.Do(func() {
		p.cluster.log.Info("polling for kinds because we may not list their definitions", "interval", pollInterval, "reason", err)
		close(p.polling)
		p.notify()
	})
}
