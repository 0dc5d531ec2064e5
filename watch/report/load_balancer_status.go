package report

import (
	"context"
	"sync"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// loadBalancerCluster is the part of a cluster that load-balancer statuses need.
type loadBalancerCluster interface {
	objects
	statusPatcher
}

// loadBalancerStatuses writes the gateway's addresses into status.loadBalancer of programmed
// Ingresses, TCPIngresses and UDPIngresses.
//
// An object that is no longer ours loses our addresses and keeps the others, so that its next
// controller finds what it wrote itself. That happens once: the replica that holds the Lease
// at the time does it, or the next holder if it has seen the object as ours. Other objects
// that are not ours are never written.
type loadBalancerStatuses struct {
	reconciler[desiredAddresses]
	cluster   loadBalancerCluster
	addresses *gatewayAddresses
	// byKind are the addresses of kinds that have their own.
	byKind map[unit.Kind]*gatewayAddresses
	writes statusWrites
}

// desiredAddresses is the desired state of an object: with the gateway's addresses, or, if it
// is gone, without them.
type desiredAddresses struct {
	gone bool
	// change is that of the last report.
	change uint64
	// base is the version of the object that the last patch was for, and wrote are the
	// addresses of that patch. It is not repeated until the cache has another version.
	base  string
	wrote []networkingv1.IngressLoadBalancerIngress
}

// newLoadBalancerStatuses returns a writer of the addresses. byKind has the kinds with
// addresses of their own.
func newLoadBalancerStatuses(cluster loadBalancerCluster, addresses *gatewayAddresses, byKind map[unit.Kind]*gatewayAddresses, writes statusWrites) *loadBalancerStatuses {
	s := &loadBalancerStatuses{cluster: cluster, addresses: addresses, byKind: byKind, writes: writes}
	s.reconciler = reconciler[desiredAddresses]{write: s.write, desired: map[unit.Key]desiredAddresses{}}
	cluster.Observe(s.observed)
	addresses.observe(s.rewriteAll)
	for _, own := range byKind {
		own.observe(s.rewriteAll)
	}
	return s
}

// of returns the addresses for objects of a kind.
func (s *loadBalancerStatuses) of(kind unit.Kind) []networkingv1.IngressLoadBalancerIngress {
	if own, ok := s.byKind[kind]; ok {
		return own.get()
	}
	return s.addresses.get()
}

func (s *loadBalancerStatuses) report(r Report) {
	if !hasLoadBalancer(r.Object.Kind) {
		return
	}
	s.change(r.Object, func(before desiredAddresses, known bool) (desiredAddresses, bool) {
		if r.Gone && (!known || s.cluster.Get(r.Object) == nil) || !r.Gone && !r.Programmed {
			return desiredAddresses{}, false
		}
		before.gone, before.change = r.Gone, r.Change
		return before, true
	})
}

// observed reconciles an object that was changed, maybe by another controller.
func (s *loadBalancerStatuses) observed(key unit.Key) {
	if !hasLoadBalancer(key.Kind) {
		return
	}
	s.change(key, func(d desiredAddresses, known bool) (desiredAddresses, bool) {
		return d, known && (!d.gone || s.cluster.Get(key) != nil)
	})
}

// lead writes until the context ends, starting with all objects.
func (s *loadBalancerStatuses) lead(ctx context.Context) {
	var following sync.WaitGroup
	for _, own := range s.byKind {
		following.Go(func() { own.follow(ctx) })
	}
	s.addresses.follow(ctx)
	following.Wait()
	s.reconciler.lead(ctx)
}

// write writes the addresses of one object if they differ.
func (s *loadBalancerStatuses) write(ctx context.Context, key unit.Key, desired desiredAddresses) (again bool) {
	object := s.cluster.Get(key)
	ours := s.of(key.Kind)
	if object == nil || len(ours) == 0 {
		return false
	}
	version := object.GetResourceVersion()
	unseen := desired.base != "" && desired.base == version
	if desired.gone && unseen {
		return false // the last patch may have added addresses that the cache does not have yet
	}
	have, want := statusAddresses(object), ours
	if desired.gone {
		want = without(have, ours)
	}
	switch {
	case sameAddresses(have, want):
		s.note(key, func(d desiredAddresses) (desiredAddresses, bool) { return desiredAddresses{change: d.change}, !d.gone })
		return false
	case unseen && sameAddresses(desired.wrote, want):
		return false
	}
	status := map[string]any{"loadBalancer": map[string]any{"ingress": want}}
	if err := s.writes.patch(ctx, s.cluster, key, version, desired.change, status); err != nil {
		return s.writes.failed(key, desired.change, err)
	}
	s.wrote(key, version, want)
	return false
}

// wrote remembers a patch, also if the desired state has changed since.
func (s *loadBalancerStatuses) wrote(key unit.Key, base string, addresses []networkingv1.IngressLoadBalancerIngress) {
	s.note(key, func(d desiredAddresses) (desiredAddresses, bool) {
		return desiredAddresses{gone: d.gone, change: d.change, base: base, wrote: addresses}, true
	})
}
