package unit

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTheFirstSectionsAreListed holds that the first sections are right after any history, and
// that every change of them is reported.
func TestTheFirstSectionsAreListed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	a := &attachments{counts: map[Section]int{}}
	for range 5000 {
		section := Section{Target: Service.Key("default", fmt.Sprint(random.IntN(40)))}
		before := slices.Clone(a.first)
		n := 1
		if a.counts[section] > 0 && random.IntN(2) == 0 {
			n = -1
		}
		relisted := a.add(section, n)
		want := slices.SortedFunc(maps.Keys(a.counts), Section.compare)
		want = want[:min(len(want), MostListed)]
		if !slices.Equal(a.first, want) {
			t.Fatalf("the first sections are %v, want %v", a.first, want)
		}
		if !relisted && !slices.Equal(before, want) {
			t.Fatalf("%v became %v, which was not reported", before, want)
		}
	}
}
