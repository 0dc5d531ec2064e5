package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// site adds a backend with a service, and an Ingress with a route and the plugin that protects it.
func (g *graph) site(namespace, name string) []unit.ID {
	name = namespace + "." + name
	of := unit.ID{Role: "backend", Namespace: namespace, Name: name}
	on := unit.ID{Role: "ingress", Namespace: namespace, Name: name}
	g.set(of, entity(kong.Services, name))
	g.set(on, entity(kong.Routes, name, "service", name), entity(kong.Plugins, name, "route", name))
	return []unit.ID{of, on}
}

// pieces is a gateway that sends small pieces. Its Kong checks that every route has its plugin at
// all times.
type pieces struct {
	*testing.T
	fake  *fakeKong
	units *graph
	*Gateway
	sent [][]string // the routes of each piece, with a - for each that is removed
	seen int
}

func newPieces(t *testing.T, most int) *pieces {
	fake, admin := newFakeKong(t)
	fake.companion = true
	p := &pieces{T: t, fake: fake, units: &graph{}, Gateway: New(admin, noRelay{})}
	p.maxPieceCost, p.pieceDuration = most, 0
	p.units.site("first", "site")
	apply(t, p.Gateway, p.units)
	loads := fake.loads
	fake.told = func() {
		guarded := map[any]bool{}
		for _, e := range fake.config[string(kong.Plugins)] {
			guarded[e["route"]] = true
		}
		for _, e := range fake.config[string(kong.Routes)] {
			if !guarded[e["id"]] {
				t.Errorf("route %v is open", e["name"])
			}
		}
	}
	t.Cleanup(func() {
		if fake.loads != loads {
			t.Errorf("%d loads of everything", fake.loads-loads)
		}
	})
	return p
}

// piece applies one piece, and returns what is left.
func (p *pieces) piece(changed map[unit.ID]struct{}) map[unit.ID]struct{} {
	p.Helper()
	outcome, err := p.Apply(p.Context(), p.units, changed)
	if err != nil {
		p.Fatal(err)
	}
	if !outcome.Delta || len(outcome.Refusals) > 0 {
		p.Fatalf("%+v", outcome)
	}
	for ; p.seen < len(p.fake.took); p.seen++ {
		p.sent = append(p.sent, routesOf(p.fake.took[p.seen]))
	}
	return outcome.Left
}

func (p *pieces) all(changed map[unit.ID]struct{}) {
	p.Helper()
	for changed = p.piece(changed); len(changed) > 0; {
		changed = p.piece(changed)
	}
}

func routesOf(d adminapi.Delta) (names []string) {
	for _, raw := range d.Upserts[kong.Routes] {
		var e struct{ Name string }
		_ = json.Unmarshal(raw, &e)
		names = append(names, e.Name)
	}
	for _, gone := range d.Deletes {
		if gone.Type == kong.Routes {
			names = append(names, "-")
		}
	}
	slices.Sort(names)
	return names
}

func sizeOfDelta(d adminapi.Delta) (n int) {
	for _, list := range d.Upserts {
		n += len(list)
	}
	return n + len(d.Deletes)
}

// want compares the routes of the pieces, one piece a line.
func (p *pieces) want(pieces ...string) {
	p.Helper()
	var got []string
	for _, piece := range p.sent {
		got = append(got, strings.Join(piece, " "))
	}
	if !slices.Equal(got, pieces) {
		p.Errorf("pieces\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(pieces, "\n"))
	}
}

// A large change is sent in pieces, with entities before those that refer to them. Removals are
// sent in pieces, too, in the opposite order.
func TestALargeChangeGoesInPieces(t *testing.T) {
	p := newPieces(t, 6)
	var ids []unit.ID
	for i := range 4 {
		ids = append(ids, p.units.site("large", fmt.Sprint(i))...)
	}
	p.all(setOf(ids))
	p.want("large.0", "large.1 large.2 large.3")
	for _, id := range ids {
		delete(p.units.views, id)
	}
	p.all(setOf(ids))
	p.want("large.0", "large.1 large.2 large.3", "- - -", "-")
	for _, d := range p.fake.took {
		if n := sizeOfDelta(d); n > 6 {
			t.Errorf("a piece of %d entities", n)
		}
	}
	if got := p.fake.names(kong.Services); !slices.Equal(got, []string{"first.site"}) {
		t.Errorf("services %v", got)
	}
}

// A change of one namespace is in the first piece of another one's large change, or in the next
// piece if it arrives later.
func TestNamespacesTakeTurns(t *testing.T) {
	p := newPieces(t, 6)
	var ids []unit.ID
	for i := range 5 {
		ids = append(ids, p.units.site("large", fmt.Sprint(i))...)
	}
	left := p.piece(setOf(append(ids, p.units.site("small", "a")...)))
	maps.Copy(left, setOf(p.units.site("small", "b")))
	left = p.piece(left)
	maps.Copy(left, setOf(p.units.site("other", "c")))
	p.all(left)
	p.want("small.a", "small.b", "large.0 other.c", "large.1 large.2 large.3", "large.4")
}

// After a worker hung over an object, the changes of its namespace are sent after those of others,
// and in separate pieces.
func TestASeparatedNamespaceIsSentSeparately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPieces(t, 100)
		bad := func(name string) unit.ID {
			id := unit.ID{Role: "ingress", Namespace: "bad", Name: name}
			p.units.set(id, entity(kong.Routes, name, "hang", true))
			return id
		}
		p.admin.Timeout = 200 * time.Millisecond
		apply := func(changed map[unit.ID]struct{}) map[unit.ID]struct{} {
			t.Helper()
			outcome, err := p.Apply(t.Context(), p.units, changed)
			if err != nil {
				t.Fatal(err)
			}
			for ; p.seen < len(p.fake.took); p.seen++ {
				if routes := routesOf(p.fake.took[p.seen]); len(routes) > 0 { // when workers hang, services are sent alone
					p.sent = append(p.sent, routes)
				}
			}
			return outcome.Left
		}
		for left := setOf(append(p.units.site("small", "a"), bad("bad.0"))); len(left) > 0; {
			left = apply(left)
		}
		failures := p.fake.failures
		if failures == 0 || !p.isSeparated("bad") || p.isSeparated("small") {
			t.Fatalf("%d failures, separated: %v", failures, p.separated)
		}
		left := apply(setOf(append(p.units.site("small", "b"), append(p.units.site("other", "b"), append(p.units.site("bad", "b"), bad("bad.1"))...)...)))
		if p.fake.failures > failures || len(left) != 3 {
			t.Errorf("%d failures, left %v", p.fake.failures-failures, left)
		}
		maps.Copy(left, setOf(p.units.site("small", "c")))
		if left = apply(left); p.fake.failures == failures || len(left) != 2 {
			t.Errorf("%d failures, left %v", p.fake.failures-failures, left)
		}
		for len(left) > 0 {
			left = apply(left)
		}
		p.want("small.a", "other.b small.b", "bad.b", "small.c")
	})
}

// If only one namespace has something to send, its pieces grow as long as they take less than their
// time. Another namespace ends that.
func TestPiecesGrowWhileOthersHaveNothingToSend(t *testing.T) {
	p := newPieces(t, 6)
	now := time.Now()
	p.now, p.pieceDuration = func() time.Time { return now }, time.Second
	var ids []unit.ID
	for i := range 100 {
		ids = append(ids, p.units.site("large", fmt.Sprint(i))...)
	}
	left := setOf(ids)
	sizes := func(took time.Duration, n int) (all []int) {
		for range n {
			left = p.piece(left)
			all = append(all, sizeOfDelta(p.fake.took[len(p.fake.took)-1]))
			now = now.Add(took)
		}
		return all
	}
	if got := sizes(100*time.Millisecond, 3); !slices.Equal(got, []int{6, 12, 24}) {
		t.Errorf("quick pieces of %v", got)
	}
	if got := sizes(2*time.Second, 3); got[0] < 36 || got[1] > 24 || got[2] > 12 {
		t.Errorf("slow pieces of %v", got)
	}
	maps.Copy(left, setOf(p.units.site("small", "a")))
	if got := sizes(time.Millisecond, 1); got[0] > 6 {
		t.Errorf("a piece of %v with another namespace's", got)
	}
	p.all(left)
}

// A backlog that is updated from piece to piece is equal to a new one.
func TestBacklogFollowsChanges(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		fake, admin := newFakeKong(t)
		fake.companion = true
		g, units := New(admin, noRelay{}), shop()
		g.maxPieceCost, g.pieceDuration = 2, 0
		apply(t, g, units)
		left := map[unit.ID]struct{}{}
		for step := range 60 {
			for range r.IntN(4) {
				left[happen(r, units)] = struct{}{}
			}
			outcome, err := g.Apply(t.Context(), units, left)
			if err != nil {
				t.Fatal(err)
			}
			if left = outcome.Left; len(left) == 0 {
				left = map[unit.ID]struct{}{}
				continue
			}
			ids := slices.Values(slices.Concat(slices.Collect(maps.Keys(left)), g.affected(nil, nil)))
			g.updateBacklog(units, ids)
			kept := g.backlog
			g.backlog = nil
			g.updateBacklog(units, ids)
			if got, want := contentOf(kept), contentOf(g.backlog); got != want {
				t.Fatalf("seed %d step %d: the backlog has\n%s\nwant\n%s", seed, step, got, want)
			}
			g.backlog = kept
		}
	}
}

func contentOf(b *backlog) string {
	var lines []string
	for _, w := range b.units {
		lines = append(lines, fmt.Sprintf("%v goes=%t cost=%d place=%d: %v replace %d", w.id, w.gone, w.cost, w.rank, refsOf(w.upserts), len(w.former)))
	}
	for at, q := range b.queues {
		lines = append(lines, fmt.Sprintf("%v: %d units, %d", at, q.waiting, q.cost))
	}
	for name, all := range map[string]map[kong.Ref][]*item{"having": b.having, "needing": b.needing} {
		for ref, list := range all {
			lines = append(lines, fmt.Sprintf("%s %v: %d", name, ref, len(list)))
		}
	}
	for ref, list := range b.coming {
		lines = append(lines, fmt.Sprintf("coming %v: %d", ref, len(list)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func refsOf(entities []*kong.Entity) (refs []kong.Ref) {
	for _, e := range entities {
		refs = append(refs, e.Ref)
	}
	return refs
}

// A namespace that changes something with each piece gets no more than another one with much to
// send.
func TestNoNamespaceIsAlwaysSentFirst(t *testing.T) {
	p := newPieces(t, 6)
	var ids []unit.ID
	for i := range 6 {
		ids = append(ids, p.units.site("honest", fmt.Sprint(i))...)
	}
	left := setOf(ids)
	pieces := 0
	for round := 0; ; round++ {
		for i := range 2 {
			maps.Copy(left, setOf(p.units.site("busy", fmt.Sprint(2*round+i))))
		}
		left = p.piece(left)
		pieces++
		if !slices.ContainsFunc(slices.Collect(maps.Keys(left)), func(id unit.ID) bool { return id.Namespace == "honest" }) {
			break
		}
		if pieces > 8 {
			t.Fatalf("%d pieces, and %v is left", pieces, left)
		}
	}
}

// A unit that is larger than a piece is sent alone, between those of others.
func TestALargeUnitTakesItsTurn(t *testing.T) {
	p := newPieces(t, 6)
	large := func(n int) unit.ID {
		name := fmt.Sprintf("large.%d", n)
		id := unit.ID{Role: "ingress", Namespace: "large", Name: name}
		entities := []*kong.Entity{entity(kong.Services, name), entity(kong.Routes, name, "service", name), entity(kong.Plugins, name, "route", name)}
		for i := range 6 {
			entities = append(entities, entity(kong.Plugins, fmt.Sprint(name, i), "route", name))
		}
		p.units.set(id, entities...)
		return id
	}
	left := setOf([]unit.ID{large(0), large(1)})
	for i := range 4 {
		maps.Copy(left, setOf(p.units.site("small", fmt.Sprint(i))))
		left = p.piece(left)
	}
	p.all(left)
	p.want("small.0", "large.0", "small.1 small.2", "small.3", "large.1")
}

// A cluster-wide unit may protect all waiting units: it is added before them and removed after
// them. Neither waits for later changes.
func TestWhatIsForAllComesFirstAndGoesLast(t *testing.T) {
	p := newPieces(t, 6)
	guard := func(name string) unit.ID {
		id := unit.ID{Role: "guard", Name: name}
		p.units.set(id, entity(kong.Plugins, name))
		return id
	}
	has := func(name string) bool { return slices.Contains(p.fake.names(kong.Plugins), name) }
	old := guard("old")
	p.all(setOf([]unit.ID{old}))
	var ids []unit.ID
	for i := range 4 {
		ids = append(ids, p.units.site("large", fmt.Sprint(i))...)
	}
	delete(p.units.views, old)
	left := p.piece(setOf(append(ids, old, guard("new"))))
	if !has("new") || !has("old") {
		t.Errorf("after the first piece there are %v", p.fake.names(kong.Plugins))
	}
	for round := 4; has("old"); round++ {
		if round > 10 {
			t.Fatal("it is never removed")
		}
		maps.Copy(left, setOf(p.units.site("large", fmt.Sprint(round))))
		maps.Copy(left, setOf(p.units.site("large", fmt.Sprint("x", round))))
		left = p.piece(left)
	}
	if got := p.fake.names(kong.Routes); !slices.Contains(got, "large.3") || slices.Contains(got, "large.x10") {
		t.Errorf("it was removed when there were %v", got)
	}
}

// A unit is sent after the unit of another namespace that it refers to. Units that share an entity
// are sent in one piece, without a refusal.
func TestWhatBelongsTogetherIsInOnePiece(t *testing.T) {
	p := newPieces(t, 3)
	shared := unit.ID{Role: "backend", Namespace: "zone", Name: "shared"}
	p.units.set(shared, entity(kong.Services, "shared"), entity(kong.Upstreams, "shared"))
	borrower := unit.ID{Role: "ingress", Namespace: "a", Name: "borrower"}
	p.units.set(borrower, entity(kong.Routes, "borrower", "service", "shared"), entity(kong.Plugins, "borrower", "route", "borrower"))
	ids := []unit.ID{shared, borrower}
	for i := range 3 {
		ids = append(ids, p.units.site("zone", fmt.Sprint(i))...)
	}
	p.all(setOf(ids))
	if p.sent[0][0] != "borrower" {
		t.Errorf("pieces %v", p.sent)
	}
	// A name moves, under another id, to a unit that is sent before its former one.
	taker := unit.ID{Role: "ingress", Namespace: "a", Name: "taker"}
	p.units.set(taker, entity(kong.Routes, "zone.0", "service", "zone.0", "id", uid(kong.Routes, "taken")),
		&kong.Entity{Ref: kong.Ref{Type: kong.Plugins, ID: uid(kong.Plugins, "taken")}, Name: "taken", JSON: fmt.Appendf(nil, `{"id":%q,"name":"taken","route":%q}`,
			uid(kong.Plugins, "taken"), uid(kong.Routes, "taken"))})
	giver := unit.ID{Role: "ingress", Namespace: "zone", Name: "zone.0"}
	delete(p.units.views, giver)
	// An entity moves to another unit.
	mover := unit.ID{Role: "ingress", Namespace: "b", Name: "mover"}
	p.units.set(mover, p.units.views[unit.ID{Role: "ingress", Namespace: "zone", Name: "zone.1"}].Entities...)
	left := unit.ID{Role: "ingress", Namespace: "zone", Name: "zone.1"}
	delete(p.units.views, left)
	p.all(setOf(append(p.units.site("c", "more"), taker, giver, mover, left)))
	if got := p.fake.names(kong.Routes); !slices.Equal(got, []string{"borrower", "c.more", "first.site", "zone.0", "zone.1", "zone.2"}) {
		t.Errorf("routes %v", got)
	}
}

// A removed unit is sent together with the units that refer to it, in any namespace, before Kong
// has to refuse it.
func TestWhatRefersToOthersGoesWithThem(t *testing.T) {
	p := newPieces(t, 3)
	shared, borrower := unit.ID{Role: "backend", Namespace: "a", Name: "shared"}, unit.ID{Role: "ingress", Namespace: "zone", Name: "borrower"}
	p.units.set(shared, entity(kong.Services, "shared"))
	p.units.set(borrower, entity(kong.Routes, "borrower", "service", "shared"), entity(kong.Plugins, "borrower", "route", "borrower"))
	p.all(setOf([]unit.ID{shared, borrower}))
	delete(p.units.views, shared)
	delete(p.units.views, borrower)
	ids := []unit.ID{shared, borrower}
	for i := range 3 {
		ids = append(ids, p.units.site("zone", fmt.Sprint(i))...)
	}
	outcome, err := p.Apply(t.Context(), p.units, setOf(ids))
	if err != nil || outcome.Rounds != 1 || len(p.fake.names(kong.Services)) > 2 {
		t.Errorf("%v: %+v", err, outcome)
	}
	p.all(outcome.Left)
}
