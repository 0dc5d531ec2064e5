package gateway

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/hostile"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestHostileOnKong applies hostile objects within the limits to a real Kong. No worker dies, and
// other objects keep their entities and can be changed. The test prints the time and memory of each
// attack.
func TestHostileOnKong(t *testing.T) {
	k := startKongWithOwn(t, "KONG_NGINX_WORKER_PROCESSES=2", "KONG_LMDB_MAP_SIZE=1024m", "KONG_MEM_CACHE_SIZE=64m",
		"KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=256m", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=256m")
	k.admin.Timeout = 2 * time.Minute
	o := translate.Options{IngressClass: "kong"}
	o.Limits.Namespace.Entities = 20_000 // to take less time
	graph, g := translate.New(o), New(k.admin, noRelay{})
	bystanders := anything.Bystanders()
	graph.Update(bystanders...)
	k.apply(t, g, graph, nil, bystanders)
	workers := k.Workers()
	before := bystanderEntities(graph)
	memory, _ := usage(t, workers)
	t.Logf("%-50s %6.0f MB in the larger worker", "without any", memory)
	for _, attack := range slices.Concat(hostile.Attacks(), hostile.AtLimits()) {
		k.attack(t, g, graph, attack, bystanders, workers)
		if after := bystanderEntities(graph); after != before {
			t.Errorf("%s changed %s to %s", attack.Name, before, after)
		}
	}
}

// attack applies objects and removes them again.
func (k ownKong) attack(t *testing.T, g *Gateway, graph *unit.Graph, attack hostile.Attack, bystanders []unit.Change, workers []int) {
	t.Helper()
	_, busy := usage(t, workers)
	begun := time.Now()
	changed := graph.Update(attack.Objects...).Units
	translated := time.Since(begun)
	k.applyPatiently(t, g, graph, changed, bystanders)
	applied := time.Since(begun) - translated
	if now := k.Workers(); !slices.Equal(now, workers) {
		t.Fatalf("%s: the workers were %v and are %v", attack.Name, workers, now)
	}
	var entities []*kong.Entity
	for view := range graph.Units() {
		entities = append(entities, view.Entities...)
	}
	cost := kong.Cost(entities)
	memory, worked := usage(t, workers)
	t.Logf("%-50s %6.0f MB, translated in %5.2f s, applied in %5.2f s, %5.2f s of a worker: %d entities, %d KB, matches %d KB", attack.Name, memory,
		translated.Seconds(), applied.Seconds(), worked-busy, cost.Entities, cost.Bytes>>10, cost.Match>>10)
	begun = time.Now()
	for i := range attack.Objects {
		attack.Objects[i].Object = nil
	}
	k.applyPatiently(t, g, graph, graph.Update(attack.Objects...).Units, bystanders)
	memory, again := usage(t, workers)
	t.Logf("%-50s %6.0f MB, taken away in %5.2f s, %5.2f s of a worker", "", memory, time.Since(begun).Seconds(), again-worked)
}

// applyPatiently applies a change once Kong is done with the one before.
func (k ownKong) applyPatiently(t *testing.T, g *Gateway, graph *unit.Graph, changed map[unit.ID]struct{}, bystanders []unit.Change) {
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
		outcome, err := g.Apply(t.Context(), graph, changed)
		switch {
		case errors.Is(err, adminapi.ErrBusy):
			time.Sleep(200 * time.Millisecond)
			continue
		case err == nil && len(outcome.Left) > 0:
			changed = outcome.Left
			continue
		}
		break
	}
	k.apply(t, g, graph, nil, bystanders)
}

// bystanderEntities returns the entities of objects that are not part of an attack.
func bystanderEntities(graph *unit.Graph) string {
	var b strings.Builder
	for view := range graph.Units() {
		if view.ID.Namespace != hostile.Namespace {
			for _, e := range view.Entities {
				b.WriteString(string(e.Type) + string(e.JSON) + "\n")
			}
		}
	}
	return b.String()
}

// usage returns the maximum over the workers of memory without files, in MB, and of processor time,
// in seconds.
func usage(t *testing.T, workers []int) (memory, processor float64) {
	t.Helper()
	for _, pid := range workers {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, anonymous, _ := strings.Cut(string(status), "RssAnon:")
		kilobytes, err := strconv.ParseFloat(strings.Fields(anonymous)[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, fields, _ := strings.Cut(string(stat), ") ") // the name may have spaces
		var ticks float64
		for _, field := range strings.Fields(fields)[11:13] {
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			ticks += n
		}
		memory, processor = max(memory, kilobytes/1024), max(processor, ticks/100)
	}
	return memory, processor
}
