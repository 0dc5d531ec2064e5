package proxy

import (
	"sync"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
)

// balancer distributes requests over the targets of an upstream by weight. In a cycle as
// long as the sum of weights, each target gets as many requests as its weight, evenly
// spread.
type balancer struct {
	upstream *declarative.Upstream

	mu    sync.Mutex
	slots []slot
}

type slot struct {
	target  *declarative.Target
	current int
}

func newBalancer(u *declarative.Upstream) *balancer {
	b := &balancer{upstream: u}
	for _, t := range u.Targets {
		if t.Weight > 0 {
			b.slots = append(b.slots, slot{target: t})
		}
	}
	return b
}

// next returns a target, an untried one if there is any. It returns nil if all targets of
// the upstream have the weight 0.
func (b *balancer) next(tried map[*declarative.Target]bool) *declarative.Target {
	b.mu.Lock()
	defer b.mu.Unlock()
	allTried := len(tried) >= len(b.slots)
	var best *slot
	sum := 0
	for i := range b.slots {
		s := &b.slots[i]
		if tried[s.target] && !allTried {
			continue
		}
		s.current += s.target.Weight
		sum += s.target.Weight
		if best == nil || s.current > best.current {
			best = s
		}
	}
	if best == nil {
		return nil
	}
	best.current -= sum
	return best.target
}
