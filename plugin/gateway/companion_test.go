package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// serveCompanion answers like the companion.
func (f *fakeKong) serveCompanion(w http.ResponseWriter, r *http.Request) {
	if !f.companion {
		http.Error(w, `{"message":"Not found"}`, http.StatusNotFound)
		return
	}
	if r.Method == http.MethodGet {
		busy := strings.TrimSuffix(strings.Repeat(`{"pid":1,"seconds":9},`, f.hanging), ",")
		fmt.Fprintf(w, `{"hash":%q,"ready":%t,"busy":[%s]}`, f.hash, !f.stale && !f.late, busy)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if f.fails(w, r, body) {
		return
	}
	var d adminapi.Delta
	if err := json.Unmarshal(body, &d); err != nil {
		http.Error(w, `{"message":"no delta"}`, http.StatusBadRequest)
		return
	}
	if r.URL.Query().Get("check") != "" {
		f.examine(w, d)
		return
	}
	if d.Base != f.hash {
		w.WriteHeader(http.StatusConflict)
		return
	}
	f.deltas++
	config := f.changed(d)
	rows, quoted, crash := faults(config)
	if f.answer != nil {
		if wrong := f.answer(d); wrong != "" {
			var e map[string]any
			_ = json.Unmarshal([]byte(wrong), &e)
			rows = []any{map[string]any{"entity_type": "plugin", "entity_id": e["id"], "entity_name": e["name"],
				"errors": []any{map[string]any{"type": "entity", "message": "it is wrong"}}}}
		}
	}
	if held := inUseOf(config, d); len(held) > 0 {
		rows, crash = held, false
	}
	switch {
	case crash:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"message":"An unexpected error occurred"}`)
		return
	case quoted:
		refuseSaying(w, fmt.Sprintf("declarative config is invalid: %v", silentOf(config)), map[string]any{}, nil)
		return
	case len(rows) > 0:
		refuse(w, map[string]any{}, rows)
		return
	}
	if dangling := danglers(config); len(dangling) > 0 {
		refuse(w, dangling, nil)
		return
	}
	if f.full(w, config, true) {
		return
	}
	f.hash, f.config = d.Hash, config
	if len(d.Upserts)+len(d.Deletes) > 0 {
		f.took = append(f.took, d)
	}
	if f.told != nil {
		f.told()
	}
	fmt.Fprintf(w, `{"effective":%t}`, !f.late)
}

// examine answers a question about each entity separately.
func (f *fakeKong) examine(w http.ResponseWriter, d adminapi.Delta) {
	f.examined++
	var rows []any
	for typ, list := range d.Upserts {
		for _, raw := range list {
			var e map[string]any
			_ = json.Unmarshal(raw, &e)
			if e["crash"] != nil {
				rows = append(rows, map[string]any{"entity_type": typ[:len(typ)-1], "entity_id": e["id"], "entity_name": e["name"],
					"errors": []any{map[string]any{"type": "entity", "message": "Kong fails to process it: attempt to compare"}}})
			}
		}
	}
	if len(rows) > 0 {
		refuse(w, map[string]any{}, rows)
		return
	}
	fmt.Fprint(w, `{}`)
}

// inUseOf returns a row for each deleted entity that others refer to.
func inUseOf(config map[string][]map[string]any, d adminapi.Delta) (rows []any) {
	for typ, list := range config {
		for _, e := range list {
			for _, gone := range d.Deletes {
				if field := strings.TrimSuffix(string(gone.Type), "s"); e[field] == gone.ID {
					rows = append(rows, map[string]any{"entity_type": field, "entity_id": gone.ID, "errors": []any{map[string]any{
						"type": "entity", "message": fmt.Sprintf("cannot be deleted: %s of %v in '%s' refers to it", field, e["id"], typ),
					}}})
				}
			}
		}
	}
	return rows
}

// changed returns the configuration that a delta leads to.
func (f *fakeKong) changed(d adminapi.Delta) map[string][]map[string]any {
	config := map[string][]map[string]any{}
	for typ, list := range f.config {
		config[typ] = slices.Clone(list)
	}
	remove := func(typ, id string) {
		config[typ] = slices.DeleteFunc(config[typ], func(e map[string]any) bool { return e["id"] == id })
	}
	for _, gone := range d.Deletes {
		remove(string(gone.Type), gone.ID)
	}
	for typ, list := range d.Upserts {
		for _, raw := range list {
			var e map[string]any
			_ = json.Unmarshal(raw, &e)
			remove(string(typ), e["id"].(string))
			config[string(typ)] = append(config[string(typ)], e)
		}
	}
	return config
}

// content returns Kong's entities, by type and id.
func (f *fakeKong) content() map[string]map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	content := map[string]map[string]any{}
	for typ, list := range f.config {
		for _, e := range list {
			if content[typ] == nil {
				content[typ] = map[string]any{}
			}
			content[typ][e["id"].(string)] = e
		}
	}
	return content
}

func applyChanged(t *testing.T, g *Gateway, units *graph, ids ...unit.ID) Outcome {
	t.Helper()
	changed := map[unit.ID]struct{}{}
	for _, id := range ids {
		changed[id] = struct{}{}
	}
	outcome, err := applyPieces(t, g, units, changed)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// applyPieces applies until nothing is left or there is an error.
func applyPieces(t *testing.T, g *Gateway, units Units, changed map[unit.ID]struct{}) (Outcome, error) {
	t.Helper()
	for {
		outcome, err := g.Apply(t.Context(), units, changed)
		if changed = outcome.Left; err != nil || len(changed) == 0 {
			return outcome, err
		}
	}
}

func TestAChangeIsSentAlone(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	if first := applyChanged(t, g, units); first.Delta || !first.Sent || first.Hash != fake.hash {
		t.Errorf("first: %+v", first)
	}
	loads := fake.loads
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
	outcome := applyChanged(t, g, units, ingress("web"))
	if !outcome.Delta || !outcome.Sent || !outcome.Effective || outcome.Hash != fake.hash || fake.loads != loads {
		t.Errorf("changed: %+v, %d loads", outcome, fake.loads-loads)
	}
	expect(t, fake, outcome, []string{"old", "web2"})
	if diff := cmp.Diff(map[kong.Type]int{kong.Services: 1, kong.Upstreams: 1, kong.Routes: 2}, outcome.Entities); diff != "" {
		t.Error(diff)
	}
	deltas := fake.deltas
	if outcome := applyChanged(t, g, units, ingress("web")); outcome.Sent || fake.deltas != deltas {
		t.Errorf("unchanged: %+v", outcome)
	}
	// After a restart, Kong has everything.
	if outcome := applyChanged(t, New(admin, noRelay{}), units); outcome.Sent || fake.loads != loads {
		t.Errorf("after a restart: %+v", outcome)
	}
}

func TestAChangeToAnotherBaseSendsAll(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	fake.hash = "another one"
	loads := fake.loads
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
	if outcome := applyChanged(t, g, units, ingress("web")); outcome.Delta || fake.loads != loads+1 || outcome.Hash != fake.hash {
		t.Errorf("%+v, %d loads", outcome, fake.loads-loads)
	}
}

func TestARefusedChangeIsHeldWithoutALoad(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	loads := fake.loads

	units.set(ingress("bad"), entity(kong.Routes, "bad", "service", "api", "bad", "no such protocol"))
	units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
	const said = `Ingress shop/bad: route "bad": bad: no such protocol`
	expect(t, fake, applyChanged(t, g, units, ingress("bad"), ingress("new")), []string{"new", "old", "web"}, said)
	// It stays held while others change, and is applied when it is corrected.
	units.set(ingress("more"), entity(kong.Routes, "more", "service", "api"))
	expect(t, fake, applyChanged(t, g, units, ingress("more")), []string{"more", "new", "old", "web"}, said)
	units.set(ingress("bad"), entity(kong.Routes, "good", "service", "api"))
	expect(t, fake, applyChanged(t, g, units, ingress("bad")), []string{"good", "more", "new", "old", "web"})
	if fake.loads != loads {
		t.Errorf("%d loads", fake.loads-loads)
	}
}

func TestWhatHangsOnARefusedUnitComesBackWithIt(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	loads := fake.loads
	units.set(backend("b"), entity(kong.Services, "b", "bad", "no"))
	units.set(ingress("user"), entity(kong.Routes, "user", "service", "b"))
	expect(t, fake, applyChanged(t, g, units, backend("b"), ingress("user")), []string{"old", "web"},
		`Service shop/b: service "b": bad: no`,
		`Ingress shop/user: route "user" is left out: it depends on Service shop/b, which Kong refused`)
	units.set(backend("b"), entity(kong.Services, "b"))
	expect(t, fake, applyChanged(t, g, units, backend("b")), []string{"old", "user", "web"})
	if fake.loads != loads {
		t.Errorf("%d loads", fake.loads-loads)
	}
}

// While one unit is kept at its last good version, deletions of others need no full load, and what
// the kept unit depends on stays.
func TestAKeptUnitAndDeletions(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	units.set(backend("alone"), entity(kong.Services, "alone"), entity(kong.Upstreams, "alone.svc"))
	units.set(ingress("web"), entity(kong.Routes, "web", "service", "alone"))
	units.set(ingress("other"), entity(kong.Routes, "other", "service", "api"))
	apply(t, g, units)
	loads := fake.loads

	units.set(ingress("web"), entity(kong.Routes, "web", "service", "api", "bad", "no"))
	const said = `Ingress shop/web (kept): route "web": bad: no`
	expect(t, fake, applyChanged(t, g, units, ingress("web")), []string{"old", "other", "web"}, said)
	delete(units.views, ingress("other"))
	expect(t, fake, applyChanged(t, g, units, ingress("other")), []string{"old", "web"}, said)
	// The graph drops what only the kept version depends on.
	delete(units.views, backend("alone"))
	outcome := applyChanged(t, g, units, backend("alone"))
	expect(t, fake, outcome, []string{"old", "web"}, said)
	if !slices.Equal(outcome.Retained, []unit.ID{backend("alone")}) || !slices.Contains(fake.names(kong.Services), "alone") {
		t.Errorf("retained %v, services %v", outcome.Retained, fake.names(kong.Services))
	}
	units.set(ingress("more"), entity(kong.Routes, "more", "service", "api"))
	applyChanged(t, g, units, ingress("more"))
	delete(units.views, ingress("more"))
	expect(t, fake, applyChanged(t, g, units, ingress("more")), []string{"old", "web"}, said)
	// The corrected version gives it up.
	units.set(ingress("web"), entity(kong.Routes, "web", "service", "api"))
	outcome = applyChanged(t, g, units, ingress("web"))
	expect(t, fake, outcome, []string{"old", "web"})
	if len(outcome.Retained) != 0 || !slices.Equal(fake.names(kong.Services), []string{"api"}) || !slices.Equal(fake.names(kong.Upstreams), []string{"api.svc"}) {
		t.Errorf("retained %v, services %v", outcome.Retained, fake.names(kong.Services))
	}
	if fake.loads != loads {
		t.Errorf("%d loads of everything", fake.loads-loads)
	}
}

// An entity that an unchanged unit refers to can be deleted with a delta, and the unit's object is
// told.
func TestWhatOthersReferToIsDropped(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	loads := fake.loads
	units.set(backend("api"), entity(kong.Services, "api2"), entity(kong.Upstreams, "api.svc"))
	outcome := applyChanged(t, g, units, backend("api"))
	if len(outcome.Refusals) != 2 || len(fake.names(kong.Routes)) != 0 || fake.loads != loads {
		t.Errorf("%d loads, routes %v, refusals:\n%s", fake.loads-loads, fake.names(kong.Routes), refusals(outcome))
	}
	units.set(backend("api"), entity(kong.Services, "api"), entity(kong.Upstreams, "api.svc"))
	expect(t, fake, applyChanged(t, g, units, backend("api")), []string{"old", "web"})
}

// The loser of a conflict with a unit of another change is applied when that unit is deleted.
func TestConflictWithAUnitOfAnotherChange(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion = true
	g, units := New(admin, noRelay{}), shop()
	units.set(ingress("first"), entity(kong.Routes, "same", "service", "api", "id", high))
	apply(t, g, units)
	loads := fake.loads
	units.set(ingress("second"), entity(kong.Routes, "same", "service", "api", "id", low))
	units.set(ingress("third"), entity(kong.Routes, "third", "service", "api"), entity(kong.Routes, "same", "service", "api", "id", lower))
	outcome := applyChanged(t, g, units, ingress("second"), ingress("third"))
	if len(outcome.Refusals) != 2 || outcome.Refusals[0].Unit != ingress("second") || outcome.Refusals[1].Unit != ingress("third") {
		t.Errorf("refusals:\n%s", refusals(outcome))
	}
	if strings.Contains(refusals(outcome), high) {
		t.Errorf("the losers are told about another object:\n%s", refusals(outcome))
	}
	units.set(ingress("other"), entity(kong.Routes, "other", "service", "api"))
	if outcome := applyChanged(t, g, units, ingress("other")); len(outcome.Refusals) != 2 {
		t.Errorf("refusals:\n%s", refusals(outcome))
	}
	// If the rival changes and keeps the value, the others are not sent.
	before := fake.deltas
	units.set(ingress("first"), entity(kong.Routes, "same", "service", "api", "id", high, "priority", 2))
	if outcome := applyChanged(t, g, units, ingress("first")); len(outcome.Refusals) != 2 || fake.deltas != before+1 {
		t.Errorf("%d deltas, refusals:\n%s", fake.deltas-before, refusals(outcome))
	}
	delete(units.views, ingress("first"))
	outcome = applyChanged(t, g, units, ingress("first"))
	if len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != ingress("third") || !slices.Contains(fake.names(kong.Routes), "same") {
		t.Errorf("routes %v, refusals:\n%s", fake.names(kong.Routes), refusals(outcome))
	}
	delete(units.views, ingress("second"))
	outcome = applyChanged(t, g, units, ingress("second"))
	expect(t, fake, outcome, []string{"old", "other", "same", "third", "web"})
	if fake.loads != loads {
		t.Errorf("%d loads of everything", fake.loads-loads)
	}
}

func TestAStaleKongIsLoadedAgain(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.companion, fake.stale = true, true
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	if state, err := g.State(t.Context()); err != nil || state.Effective || !state.Companion {
		t.Errorf("%+v, %v", state, err)
	}
	loads := fake.loads
	g.ForceFullLoad()
	if outcome := applyChanged(t, g, units); !outcome.Sent || fake.loads != loads+1 {
		t.Errorf("%+v", outcome)
	}
}

// TestDeltaHistories checks that deltas and a full load of the same units have the same result.
func TestDeltaHistories(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		fake, admin := newFakeKong(t)
		fake.companion = true
		g, units := New(admin, noRelay{}), shop()
		apply(t, g, units)
		changes := 3
		if seed%2 == 0 { // in small pieces
			g.maxPieceCost, changes = 1+int(seed)%5, 8
		}
		for step := range 40 {
			var ids []unit.ID
			for range 1 + r.IntN(changes) {
				ids = append(ids, happen(r, units))
			}
			got := applyChanged(t, g, units, ids...)
			if got.Hash != fake.hash {
				t.Fatalf("seed %d step %d: hash %s, Kong has %s", seed, step, got.Hash, fake.hash)
			}
			if len(got.Refusals) > 0 {
				continue // the kept version depends on the history
			}
			fresh, freshAdmin := newFakeKong(t)
			fresh.companion = true
			want := apply(t, New(freshAdmin, noRelay{}), units)
			if diff := cmp.Diff(fresh.content(), fake.content()); diff != "" || want.Hash != got.Hash {
				t.Fatalf("seed %d step %d: a full load has (-) where deltas lead to (+), hash %s and %s:\n%s", seed, step, want.Hash, got.Hash, diff)
			}
			if diff := cmp.Diff(want.Entities, got.Entities); diff != "" && len(fake.content()) > 0 {
				for typ, n := range got.Entities {
					if n != want.Entities[typ] {
						t.Fatalf("seed %d step %d: %s", seed, step, diff)
					}
				}
			}
		}
	}
}

// happen changes one unit at random. Ingresses refer to backends that may not exist, and want names
// of a small set.
func happen(r *rand.Rand, units *graph) unit.ID {
	name := func() string { return string(rune('a' + r.IntN(4))) }
	var fault []any
	if r.IntN(8) == 0 {
		fault = []any{"bad", "no"}
	}
	if r.IntN(2) == 0 {
		n := name()
		if r.IntN(4) == 0 {
			delete(units.views, backend(n))
		} else {
			units.set(backend(n), entity(kong.Services, n, append(fault, "port", r.IntN(3))...), entity(kong.Upstreams, n))
		}
		return backend(n)
	}
	n := name()
	if r.IntN(4) == 0 {
		delete(units.views, ingress(n))
	} else {
		units.set(ingress(n), entity(kong.Routes, n, append(fault, "service", name())...),
			entity(kong.Routes, n+"-more", "service", name(), "priority", r.IntN(3)))
	}
	return ingress(n)
}

// The cost of many conflicts, and of many faults in one object, is linear.
func TestManyConflictsAndFaults(t *testing.T) {
	for _, companion := range []bool{false, true} {
		fake, admin := newFakeKong(t)
		fake.companion = companion
		g, units := New(admin, noRelay{}), shop()
		apply(t, g, units)
		const many = 2000
		var ids []unit.ID
		var broken []*kong.Entity
		for i := range many {
			name := fmt.Sprintf("r%04d", i)
			units.set(ingress(name), entity(kong.Routes, "same", "service", "api", "id", uid(kong.Routes, name)))
			ids = append(ids, ingress(name))
			plugin := entity(kong.Plugins, name, "bad", "no")
			plugin.Instead = []*kong.Entity{}
			broken = append(broken, plugin)
		}
		units.set(ingress("broken"), broken...)
		begun := time.Now()
		outcome := applyChanged(t, g, units, append(ids, ingress("broken"))...)
		if len(outcome.Refusals) != many || outcome.Entities[kong.Routes] != 3 || outcome.Entities[kong.Plugins] != 0 {
			t.Errorf("%d refusals, %v", len(outcome.Refusals), outcome.Entities)
		}
		first := time.Since(begun)
		begun = time.Now()
		delete(units.views, ingress("r0000"))
		if outcome := applyChanged(t, g, units, ingress("r0000")); len(outcome.Refusals) != many-1 {
			t.Errorf("%d refusals", len(outcome.Refusals))
		}
		t.Logf("companion=%t: %v, and %v when the holder goes", companion, first, time.Since(begun))
	}
}
