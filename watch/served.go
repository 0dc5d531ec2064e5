package watch

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// served asks in which version each of the kinds is to be read; "" if the API server
// serves none that can be.
func (p *presence) served(ctx context.Context) (map[unit.Kind]string, error) {
	served := map[unit.Kind]string{}
	lists := map[schema.GroupVersion]*metav1.APIResourceList{}
	for _, kind := range p.kinds {
		for _, version := range kind.versions() {
			list, err := p.list(ctx, kind.in(version).GroupVersion(), lists)
			if err != nil {
				return nil, err
			}
			if has(list, kind.Resource.Resource) {
				served[kind.Name] = version
				break
			}
		}
	}
	return served, nil
}

// list asks once what a version of an API group has; nil if there is no such version.
func (p *presence) list(ctx context.Context, version schema.GroupVersion, lists map[schema.GroupVersion]*metav1.APIResourceList) (*metav1.APIResourceList, error) {
	if list, asked := lists[version]; asked {
		return list, nil
	}
	list, err := p.cluster.clients.resources(ctx, version)
	if apierrors.IsNotFound(err) {
		list, err = nil, nil
	}
	if err == nil {
		lists[version] = list
	}
	return list, err
}

func has(list *metav1.APIResourceList, resource string) bool {
	if list == nil {
		return false
	}
	for _, r := range list.APIResources {
		if r.Name == resource {
			return true
		}
	}
	return false
}

// follow starts what is served and stops what is not any more.
func (p *presence) follow(ctx context.Context, served map[unit.Kind]string) {
	for _, kind := range p.kinds {
		version, running := served[kind.Name], p.running[kind.Name]
		switch {
		case version != "" && running == nil:
			p.start(ctx, kind, version, &held{objects: map[unit.Key]*informer{}})
		case version == "" && running != nil:
			p.stop(kind, running)
		case version != "" && running.version != version:
			p.change(ctx, kind, running, version)
		}
	}
}

// run is a kind that is being watched in one version.
type run struct {
	version   string
	informers []*informer
	held      *held
	cancel    context.CancelFunc
	done      sync.WaitGroup
	// replaced are the informers of versions before, whose objects stay until this one's
	// have been listed.
	replaced []*informer
}

// start watches a kind in a version.
func (p *presence) start(ctx context.Context, kind Kind, version string, held *held, replaced ...*informer) {
	informers, err := p.cluster.add(kind, kind.in(version), held)
	if err != nil {
		p.cluster.failed(kind.Resource.Resource, err)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	started := &run{version: version, informers: informers, held: held, cancel: cancel, replaced: replaced}
	p.running[kind.Name] = started
	for _, informer := range informers {
		if !p.looked { // what comes later wasn't there at the start
			p.cluster.expect(informer)
		}
		started.done.Go(func() { informer.run(ctx) })
	}
	started.done.Go(func() { started.replace(ctx, p, kind) })
}

// replace lets go of what versions before had, once this one has been listed.
func (r *run) replace(ctx context.Context, p *presence, kind Kind) {
	var listed []cache.DoneChecker
	for _, informer := range r.informers {
		listed = append(listed, informer.handler.HasSyncedChecker())
	}
	if len(r.replaced) > 0 && cache.WaitFor(ctx, "", listed...) {
		p.drop(kind, r.held, r.replaced)
		r.replaced = nil
	}
}

// halt ends the watches and returns all informers whose objects are still there.
func (p *presence) halt(running *run) []*informer {
	running.cancel()
	running.done.Wait()
	stopped := append(running.replaced, running.informers...)
	p.reading.forget(stopped)
	return stopped
}

func (p *presence) stop(kind Kind, running *run) {
	p.drop(kind, running.held, p.halt(running))
	delete(p.running, kind.Name)
}

// drop delivers that all objects are gone which the informers delivered last.
func (p *presence) drop(kind Kind, held *held, stopped []*informer) {
	p.cluster.forget(kind.Name, stopped)
	for _, informer := range stopped {
		held.drop(informer)
	}
}

// change watches a kind in another version from now on. What was read in the one before
// stays until the other has been listed, so that no route is lost meanwhile.
func (p *presence) change(ctx context.Context, kind Kind, before *run, version string) {
	p.start(ctx, kind, version, before.held, p.halt(before)...)
}
