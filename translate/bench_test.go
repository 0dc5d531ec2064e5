package translate_test

import (
	"fmt"
	"runtime"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// BenchmarkFull translates n × {Ingress, Service, EndpointSlice with 3 endpoints} in a new graph, and
// reports the heap size of the objects and their translation.
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

// BenchmarkUnchanged updates a graph with an event that changes nothing.
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

// BenchmarkContested translates Ingresses with the same 400 paths, and then an older one.
func BenchmarkContested(b *testing.B) {
	const paths = 400
	for _, n := range []int{20, 40, 80} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			changes := make([]unit.Change, n)
			for i := range n {
				changes[i] = change(equal(fmt.Sprintf("equal-%d", i), n-i, paths))
			}
			for b.Loop() {
				g := translate.New(translate.Options{IngressClass: "kong"})
				g.Update(changes...)
				g.Update(change(equal("oldest", 0, paths)))
			}
		})
	}
}

// equal returns an Ingress with many paths, which are the same for all names.
func equal(name string, age, paths int) *networkingv1.Ingress {
	ingress := newIngress(name, "equal.example")
	ingress.CreationTimestamp = metav1.Unix(int64(1000+age), 0)
	http := ingress.Spec.Rules[0].HTTP
	path := http.Paths[0]
	http.Paths = nil
	for i := range paths {
		path.Path = fmt.Sprintf("/%d", i)
		http.Paths = append(http.Paths, path)
	}
	return ingress
}
