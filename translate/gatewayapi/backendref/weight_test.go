package backendref

import (
	"fmt"
	"math"
	"testing"

	"github.com/kube-sync/kube-sync/translate/route"
)

// endpoints returns n targets of one backend.
func endpoints(backend, n int) []route.Target {
	targets := make([]route.Target, n)
	for i := range targets {
		targets[i] = route.Target{Address: fmt.Sprintf("10.%d.0.%d:80", backend, i), Weight: 100}
	}
	return targets
}

// Each backend gets its exact share, whatever the numbers of endpoints. If the exact weights exceed
// Kong's maximum, the error is small.
func TestSharesAreExact(t *testing.T) {
	for _, test := range []struct {
		weights, endpoints []int
		within             float64
	}{
		{[]int{70, 30}, []int{3, 2}, 0},
		{[]int{1, 1}, []int{7, 11}, 0},
		{[]int{90, 9, 1}, []int{10, 3, 1}, 0},
		{[]int{50, 50}, []int{1, 100}, 0},
		{[]int{1, 0}, []int{2, 2}, 0},
		{[]int{999, 1}, []int{97, 89}, 0.0005},
		{[]int{1000000, 1}, []int{1, 1}, 0.0001},
		{[]int{5, 3, 2}, []int{97, 89, 83}, 0.0005},
	} {
		var shares []share
		total := 0
		for i, w := range test.weights {
			shares = append(shares, share{weight: w, targets: endpoints(i, test.endpoints[i])})
			total += w
		}
		got, all := make([]int, len(shares)), 0
		for _, target := range weighted(shares) {
			var backend, i int
			if _, err := fmt.Sscanf(target.Address, "10.%d.0.%d:80", &backend, &i); err != nil {
				t.Fatal(err)
			}
			if target.Weight < 0 || target.Weight > maxWeight {
				t.Errorf("%v over %v: weight %d is not in Kong's range", test.weights, test.endpoints, target.Weight)
			}
			got[backend] += target.Weight
			all += target.Weight
		}
		for i, w := range test.weights {
			off := math.Abs(float64(got[i])/float64(all) - float64(w)/float64(total))
			if exact := got[i]*total == w*all; !exact && off > test.within || off > 0.001 {
				t.Errorf("%v over %v: backend %d gets %d of %d", test.weights, test.endpoints, i, got[i], all)
			}
		}
	}
}
