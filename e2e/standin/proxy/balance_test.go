package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
)

func TestBalancerDealsByWeight(t *testing.T) {
	a := &declarative.Target{Target: "a", Weight: 3}
	b := &declarative.Target{Target: "b", Weight: 1}
	none := &declarative.Target{Target: "none", Weight: 0}
	balancer := newBalancer(&declarative.Upstream{Targets: []*declarative.Target{a, none, b}})
	got := ""
	for range 8 {
		got += balancer.next(nil).Target
	}
	if diff := cmp.Diff("aabaaaba", got); diff != "" {
		t.Error(diff)
	}
}

func TestBalancerPrefersTheUntried(t *testing.T) {
	a := &declarative.Target{Target: "a", Weight: 1000}
	b := &declarative.Target{Target: "b", Weight: 1}
	balancer := newBalancer(&declarative.Upstream{Targets: []*declarative.Target{a, b}})
	if got := balancer.next(map[*declarative.Target]bool{a: true}); got != b {
		t.Errorf("got %s after a failed, expected b", got.Target)
	}
	if got := balancer.next(map[*declarative.Target]bool{a: true, b: true}); got == nil {
		t.Error("got nothing after all failed, expected another try")
	}
	empty := newBalancer(&declarative.Upstream{Targets: []*declarative.Target{{Weight: 0}}})
	if got := empty.next(nil); got != nil {
		t.Errorf("got %s of an upstream without weight", got.Target)
	}
}
