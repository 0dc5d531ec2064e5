package watch

import (
	"context"
	"sync"
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
// and served in our version.
type presence struct {
	cluster *Cluster
	kinds   []Kind
	look    chan struct{}
	running map[unit.Kind]*run
	looked  bool
	refused sync.Once
	polling chan struct{} // closed when we may not watch the definitions
}

// run is a kind that is being watched.
type run struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newPresence(c *Cluster) *presence {
	return &presence{
		cluster: c,
		look:    make(chan struct{}, 1),
		running: map[unit.Kind]*run{},
		polling: make(chan struct{}),
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

	again, next := backoff(), time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.look:
			again = backoff()
		case <-after(next):
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
		next = p.next(definitions.GetStore(), served, &again)
	}
}

// after is time.After that never fires for a negative duration.
func after(d time.Duration) <-chan time.Time {
	if d < 0 {
		return nil
	}
	return time.After(d)
}

// next is when to look again; negative means when a definition changes.
func (p *presence) next(definitions cache.Store, served map[unit.Kind]bool, again *wait.Backoff) time.Duration {
	select {
	case <-p.polling:
		return wait.Jitter(pollInterval, 0.5)
	default:
	}
	for _, kind := range p.kinds {
		_, defined, _ := definitions.GetByKey(kind.Resource.GroupResource().String())
		if defined != served[kind.Name] {
			return again.Step() // discovery is a little behind
		}
	}
	return -1
}

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
		select {
		case p.look <- struct{}{}:
		default:
		}
	}
	// The errors are of informers that run or were stopped; this one is new.
	_ = informer.SetTransform(bundleOnly)
	_ = informer.SetWatchErrorHandlerWithContext(p.failed)
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(added any) { changed(added, false) },
		UpdateFunc: func(_, after any) { changed(after, false) },
		DeleteFunc: func(last any) { changed(last, true) },
	})
	return informer
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

// bundleOnly keeps of a definition its name, its version, and which bundle it is of.
func bundleOnly(received any) (any, error) {
	if object, ok := received.(*metav1.PartialObjectMetadata); ok {
		kept := metav1.ObjectMeta{Name: object.Name, ResourceVersion: object.ResourceVersion}
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
		select {
		case p.look <- struct{}{}:
		default:
		}
	})
}

// served asks which of the kinds the API server has.
func (p *presence) served(ctx context.Context) (map[unit.Kind]bool, error) {
	served := map[unit.Kind]bool{}
	lists := map[schema.GroupVersion]*metav1.APIResourceList{}
	for _, kind := range p.kinds {
		version := kind.Resource.GroupVersion()
		list, asked := lists[version]
		if !asked {
			var err error
			list, err = p.cluster.clients.resources(ctx, version)
			if apierrors.IsNotFound(err) {
				list = nil
			} else if err != nil {
				return nil, err
			}
			lists[version] = list
		}
		served[kind.Name] = list != nil && has(list, kind.Resource.Resource)
	}
	return served, nil
}

func has(list *metav1.APIResourceList, resource string) bool {
	for _, r := range list.APIResources {
		if r.Name == resource {
			return true
		}
	}
	return false
}

// follow starts what is served and stops what isn't any more.
func (p *presence) follow(ctx context.Context, served map[unit.Kind]bool) {
	for _, kind := range p.kinds {
		running := p.running[kind.Name]
		switch {
		case served[kind.Name] && running == nil:
			p.start(ctx, kind)
		case !served[kind.Name] && running != nil:
			p.stop(kind, running)
		}
	}
}

func (p *presence) start(ctx context.Context, kind Kind) {
	if err := p.cluster.add(kind); err != nil {
		p.cluster.failed(kind.Resource.Resource, err)
		return
	}
	p.cluster.log.Info("watching a custom kind", "resource", kind.Resource.GroupResource())
	ctx, cancel := context.WithCancel(ctx)
	started := &run{cancel: cancel}
	p.running[kind.Name] = started
	for _, informer := range p.cluster.of(kind.Name) {
		if !p.looked { // what comes later wasn't there at the start
			p.cluster.expect(informer)
		}
		started.done.Go(func() { informer.run(ctx) })
	}
}

func (p *presence) stop(kind Kind, running *run) {
	p.cluster.log.Info("a custom kind is gone", "resource", kind.Resource.GroupResource())
	running.cancel()
	running.done.Wait()
	delete(p.running, kind.Name)
	for _, informer := range p.cluster.remove(kind.Name) {
		informer.drop()
	}
}
