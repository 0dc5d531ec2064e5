package gateway

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// sites is the number of Ingresses with backends of another namespace before the test: go test
// ./plugin/gateway -run TestALargeChangeOnKong -v -args -sites 10000.
var sites = flag.Int("sites", 1000, "number of sites before TestALargeChangeOnKong starts")

// TestALargeChangeOnKong applies 20 000 entities of one namespace to a real Kong, and changes of
// another namespace that arrive meanwhile. The latter are effective long before the last of the
// former is sent; the test prints when. There is no full load.
func TestALargeChangeOnKong(t *testing.T) {
	k := startKongWithOwn(t, "KONG_NGINX_WORKER_PROCESSES=2", "KONG_LMDB_MAP_SIZE=1024m", "KONG_MEM_CACHE_SIZE=128m",
		"KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=256m", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=256m")
	k.admin.Timeout = 2 * time.Minute
	g, units := New(k.admin, noRelay{}), &graph{}
	for i := range *sites {
		units.realSite("honest", i)
	}
	apply(t, g, units)
	k.awaitEffective(t)
	k.awaitIdle(t)

	var large []unit.ID
	for i := range 4000 {
		large = append(large, units.realSite("large", i)...)
	}
	came := k.applyWithOthers(t, g, units, setOf(large), func(n int) []unit.ID { return units.realSite("small", n) })
	t.Logf("20 000 entities are added: %s", came)
	for _, id := range large {
		delete(units.views, id)
	}
	went := k.applyWithOthers(t, g, units, setOf(large), func(n int) []unit.ID { return units.realSite("small", 1000+n) })
	t.Logf("20 000 entities are removed: %s", went)
	want := 5 * (*sites + came.others + went.others)
	if want > 20_000 {
		return // an export would take minutes
	}
	if got := len(k.export(t)); got != want {
		t.Errorf("Kong has %d entities, want %d", got, want)
	}
}

// realSite adds an Ingress, and a Service with two endpoints, that a real Kong accepts.
func (g *graph) realSite(namespace string, i int) []unit.ID {
	name := fmt.Sprintf("%s-%d", namespace, i)
	of := unit.ID{Role: "backend", Namespace: namespace, Name: name}
	on := unit.ID{Role: "ingress", Namespace: namespace, Name: name}
	upstream := name + ".svc"
	g.set(of, service(name), entity(kong.Upstreams, upstream),
		target(fmt.Sprintf("10.1.%d.%d:80", i>>8&255, i&255), upstream), target(fmt.Sprintf("10.2.%d.%d:80", i>>8&255, i&255), upstream))
	g.set(on, entity(kong.Routes, name, "service", name, "priority", 1, "expression",
		fmt.Sprintf(`(http.host == "%s.example") && (http.path ^= "/%d")`, namespace, i)))
	return []unit.ID{of, on}
}

func (k ownKong) awaitEffective(t *testing.T) {
	t.Helper()
	k.Eventually("all workers use the configuration", func() bool {
		state, err := k.admin.State(t.Context())
		return err == nil && state.Effective
	})
}

// awaitIdle waits until the workers are idle: after a full load they continue to build balancers.
func (k ownKong) awaitIdle(t *testing.T) {
	t.Helper()
	workers := k.Workers()
	worked := func() (sum time.Duration) {
		for _, pid := range workers {
			sum += processorTime(pid)
		}
		return sum
	}
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); {
		before := worked()
		time.Sleep(time.Second)
		if worked()-before < 100*time.Millisecond {
			return
		}
	}
	t.Fatal("the workers do not become idle")
}

// waits are the durations of changes that arrive during a large one.
type waits struct {
	pieces, others int
	all            time.Duration
	each           []time.Duration
}

func (w waits) String() string {
	slices.Sort(w.each)
	return fmt.Sprintf("%d pieces in %.1f s; %d changes of another namespace took %v at half, %v at most", w.pieces, w.all.Seconds(),
		w.others, w.each[len(w.each)/2].Round(time.Millisecond), w.each[len(w.each)-1].Round(time.Millisecond))
}

// applyWithOthers applies a large change as the agent does. Every 100 milliseconds another change
// arrives, which is part of the next piece.
func (k ownKong) applyWithOthers(t *testing.T, g *Gateway, units *graph, left map[unit.ID]struct{}, other func(n int) []unit.ID) (w waits) {
	t.Helper()
	begun := time.Now()
	came := begun
	for len(left) > 0 {
		var waiting []time.Time
		var its []unit.ID
		// More than these do not fit their namespace's half of a piece.
		for ; came.Before(time.Now()) && len(waiting) < maxPieceCost/20; came = came.Add(100 * time.Millisecond) {
			its = append(its, other(w.others)...)
			waiting = append(waiting, came)
			w.others++
		}
		maps.Copy(left, setOf(its))
		outcome, err := g.Apply(t.Context(), units, left)
		if err != nil || !outcome.Delta || len(outcome.Refusals) > 0 {
			t.Fatalf("%v: %+v", err, outcome)
		}
		if !outcome.Effective {
			k.awaitEffective(t)
		}
		left = outcome.Left
		w.pieces++
		for _, id := range its {
			if _, is := left[id]; is && len(left) > 0 {
				t.Errorf("%v waits for a piece of another namespace", id)
			}
		}
		for _, came := range waiting {
			w.each = append(w.each, time.Since(came))
		}
	}
	w.all = time.Since(begun)
	if w.pieces < 20_000/maxPieceCostAlone {
		t.Errorf("20 000 entities came in %d pieces", w.pieces)
	}
	return w
}
