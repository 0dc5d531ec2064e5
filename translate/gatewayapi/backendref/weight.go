package backendref

import (
	"cmp"
	"math"
	"slices"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/route"
)

// weights returns the sum of all weights, of those of unavailable backends and of those of backends
// without endpoints.
func weights(shares []share) (total, broken, empty int) {
	for _, s := range shares {
		total += s.weight
		switch {
		case s.broken:
			broken += s.weight
		case s.live() == 0:
			empty += s.weight
		}
	}
	return total, broken, empty
}

// failures returns the shares of backends that cannot answer: unavailable ones get the status, those
// without endpoints 503. If no backend has a weight, all requests get the status.
func failures(shares []share, status int) RuleBackends {
	total, broken, empty := weights(shares)
	if total == 0 {
		return RuleBackends{Shares: filter.NoBackend(status), Total: 1}
	}
	found := RuleBackends{Total: total}
	if broken > 0 {
		found.Shares = append(found.Shares, filter.Share{Status: status, Weight: broken})
	}
	if empty > 0 && broken+empty < total {
		found.Shares = append(found.Shares, filter.Share{Status: 503, Weight: empty})
	}
	if len(found.Shares) == 0 {
		found.Total = 0
	}
	return found
}

const (
	// equalWeight is Kong's default.
	equalWeight = 100
	maxWeight   = 65535
)

// weighted returns the targets of all backends with weights that give each backend exactly its
// share, however many endpoints it has: its weight is divided among them, and all are scaled to
// whole numbers. They are rounded only if they would exceed Kong's maximum.
func weighted(shares []share) []route.Target {
	scale := 1
	for _, s := range shares {
		if n := s.live(); n > 0 && s.weight > 0 {
			scale = scale / gcd(scale, n) * n
			if scale > math.MaxInt32 {
				break
			}
		}
	}
	exact := map[string]int{}
	var divisor, most int
	for _, s := range shares {
		n := s.live()
		for _, t := range s.targets {
			if t.Weight > 0 {
				exact[t.Address] += s.weight * scale / n
			} else {
				exact[t.Address] += 0
			}
		}
	}
	for _, w := range exact {
		divisor, most = gcd(divisor, w), max(most, w)
	}
	targets := make([]route.Target, 0, len(exact))
	for address, w := range exact {
		targets = append(targets, route.Target{Address: address, Weight: scaled(w, divisor, most)})
	}
	slices.SortFunc(targets, func(a, b route.Target) int { return cmp.Compare(a.Address, b.Address) })
	return targets
}

// scaled reduces a weight to Kong's range.
func scaled(w, divisor, most int) int {
	switch {
	case w == 0:
		return 0
	case divisor == most:
		return equalWeight
	case most/divisor <= maxWeight:
		return w / divisor
	}
	return max(1, int(math.Round(float64(w)/float64(most)*maxWeight)))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
