package translate_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
)

var sizes = []int{1000, 5000, 10000}

func cluster(n int) []unit.Change {
	changes := make([]unit.Change, 0, 3*n)
	for i := range n {
		changes = append(changes, app(i, 3)...)
	}
	return changes
}

// BenchmarkFull translates n × {Ingress, Service, EndpointSlice with 3 endpoints}
// from nothing, and reports the heap that the objects and their translation take.
func BenchmarkFull(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			before := heap()
			changes := cluster(n)
			var g *unit.Graph
			for b.Loop() {
				g = translate.New(translate.Options{IngressClass: "kong"})
				g.Update(changes...)
			}
			b.ReportMetric(float64(heap()-before)/(1<<20), "heap-MB")
			runtime.KeepAlive(g)
			runtime.KeepAlive(changes)
		})
	}
}

// BenchmarkEndpointChange translates one changed EndpointSlice among n.
func BenchmarkEndpointChange(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := translate.New(translate.Options{IngressClass: "kong"})
			g.Update(cluster(n)...)
			i := 0
			for b.Loop() {
				i++
				result := g.Update(change(newSlice("app-7", 7, 1+i%2)))
				if len(result.Units) != 1 {
					b.Fatalf("one changed EndpointSlice changed %d units", len(result.Units))
				}
			}
		})
	}
}

// BenchmarkUnchanged takes an event that changes nothing.
func BenchmarkUnchanged(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := translate.New(translate.Options{IngressClass: "kong"})
			g.Update(cluster(n)...)
			for b.Loop() {
				if result := g.Update(change(newIngress("app-7", "app-7.example.com"))); len(result.Units) != 0 {
					b.Fatalf("an event without a change changed %d units", len(result.Units))
				}
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
