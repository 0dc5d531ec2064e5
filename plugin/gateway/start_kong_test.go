package gateway

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestChangesAfterALoadOnKong applies and removes changes of another namespace while workers build
// the balancers of a full load: go test ./plugin/gateway -run TestChangesAfterALoadOnKong -v -args
// -sites 10000. No change fails, and the log has no errors. The test prints when changes are
// effective.
func TestChangesAfterALoadOnKong(t *testing.T) {
	k := startKongWithOwn(t, "KONG_NGINX_WORKER_PROCESSES=2", "KONG_LMDB_MAP_SIZE=1024m", "KONG_MEM_CACHE_SIZE=128m",
		"KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=256m", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=256m")
	k.admin.Timeout = 2 * time.Minute
	g, units := New(k.admin, noRelay{}), &graph{}
	for i := range *sites {
		units.realSite("honest", i)
	}
	begun := time.Now()
	apply(t, g, units)
	loaded := time.Since(begun)
	k.awaitEffective(t)
	t.Logf("loaded in %v, effective after %v", loaded.Round(time.Millisecond), (time.Since(begun) - loaded).Round(time.Millisecond))

	var waited []time.Duration
	var gone []unit.ID
	for n := range 100 {
		begun := time.Now()
		its := units.realSite("small", n)
		for _, id := range gone {
			delete(units.views, id)
		}
		outcome, err := g.Apply(t.Context(), units, setOf(slices.Concat(its, gone)))
		if err != nil || !outcome.Delta || len(outcome.Left) > 0 || len(outcome.Refusals) > 0 {
			t.Fatalf("%v: %+v", err, outcome)
		}
		if !outcome.Effective {
			k.awaitEffective(t)
		}
		waited = append(waited, time.Since(begun))
		gone = its
		time.Sleep(max(0, 100*time.Millisecond-time.Since(begun)))
	}
	slices.Sort(waited)
	t.Logf("changes of another namespace took %v at half, %v at most", waited[50].Round(time.Millisecond), waited[99].Round(time.Millisecond))
	k.awaitIdle(t)
	if failures := regexp.MustCompile(`(?m)^.*\[(error|crit)\].*$`).FindAllString(k.ReadLog(), 10); len(failures) > 0 {
		t.Errorf("Kong's log has failures:\n%s", failures)
	}
}
