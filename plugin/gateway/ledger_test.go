package gateway

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// mortal is a gateway that ends when a worker does, as kube-sync with the worker that
// started it, and the file that it leaves behind.
type mortal struct {
	t     *testing.T
	fake  *fakeKong
	admin *Admin
	path  string
	now   time.Time
	*Gateway
}

func newMortal(t *testing.T) *mortal {
	fake, admin := newFakeKong(t)
	fake.companion = true
	m := &mortal{t: t, fake: fake, admin: admin, path: filepath.Join(t.TempDir(), "sending"), now: time.Now()}
	m.start()
	return m
}

// start is a new process.
func (m *mortal) start() {
	m.t.Helper()
	ledger, err := OpenLedger(m.path, m.now)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Gateway = New(m.admin, noRelay{})
	m.Gateway.now = func() time.Time { return m.now }
	m.Remember(ledger)
}

// run applies the units as the agent does, until nothing is due. Whenever a worker ends over
// what is sent, the process does, and leaves the file as it is then.
func (m *mortal) run(units *graph, ids ...unit.ID) (outcome Outcome, deaths int) {
	m.t.Helper()
	changed := setOf(ids)
	for range 100 {
		ctx, cancel := context.WithCancel(m.t.Context())
		var left []byte
		m.fake.onDeath = func() {
			left, _ = os.ReadFile(m.path)
			cancel()
		}
		var err error
		outcome, err = m.Apply(ctx, units, changed)
		cancel()
		switch {
		case left != nil:
			deaths++
			if err := os.WriteFile(m.path, left, 0o600); err != nil {
				m.t.Fatal(err)
			}
			m.start()
			changed = nil
			continue
		case err != nil:
			m.t.Fatal(err)
		}
		changed = map[unit.ID]struct{}{}
		if state, err := m.State(m.t.Context()); err != nil {
			m.t.Fatal(err)
		} else if !state.Due {
			return outcome, deaths
		}
	}
	m.t.Fatal("it comes to no end")
	return
}

// portOf is a sub of an id.
type portOf int

func (p portOf) String() string { return fmt.Sprint(int(p)) }

// A unit is known again by the next process whatever its id is made of.
func TestAnyUnitOverWhichKubeSyncEnds(t *testing.T) {
	m, units := newMortal(t), shop()
	m.run(units)
	deadly := unit.ID{Role: "backend", Namespace: "shop", Name: "b", Sub: portOf(80)}
	other := unit.ID{Role: "backend", Namespace: "shop", Name: "b", Sub: portOf(81)}
	units.set(deadly, entity(kong.Routes, "b", "service", "api", "die", true))
	units.set(other, entity(kong.Routes, "c", "service", "api"))
	outcome, deaths := m.run(units, deadly, other)
	if got := m.fake.names(kong.Routes); !slices.Contains(got, "c") || deaths == 0 || deaths > 2 || len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != deadly {
		t.Errorf("routes %v after %d ends; refusals:\n%s", got, deaths, refusals(outcome))
	}
	m.start()
	if outcome, deaths = m.run(units, other); deaths != 0 || len(outcome.Refusals) != 1 {
		t.Errorf("%d ends in a later process; refusals:\n%s", deaths, refusals(outcome))
	}
}

// A change over which a worker ends and kube-sync with it is not sent again; what was sent
// with it is.
func TestAChangeOverWhichKubeSyncEnds(t *testing.T) {
	m, units := newMortal(t), shop()
	m.run(units)
	units.set(ingress("a"), entity(kong.Routes, "a", "service", "api"))
	units.set(ingress("b"), entity(kong.Routes, "b", "service", "api", "die", true))
	units.set(ingress("c"), entity(kong.Routes, "c", "service", "api"))
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
	outcome, deaths := m.run(units, ingress("a"), ingress("b"), ingress("c"), ingress("web"))
	if got := m.fake.names(kong.Routes); !slices.Equal(got, []string{"a", "c", "old", "web2"}) || deaths > 2 {
		t.Errorf("routes %v after %d ends", got, deaths)
	}
	if len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != ingress("b") || !strings.Contains(refusals(outcome), "a worker of Kong ended or hung when this was sent to it; it is tried again at ") {
		t.Errorf("refusals:\n%s", refusals(outcome))
	}
	// Neither by later changes nor by later processes before its time.
	for range 3 {
		m.start()
		units.set(ingress("c"), entity(kong.Routes, fmt.Sprintf("c%d", len(m.fake.names(kong.Routes))), "service", "api"))
		if _, deaths := m.run(units, ingress("c")); deaths > 0 {
			t.Errorf("%d more ends", deaths)
		}
	}
	// It is tried eight times in all, alone, after twice as long each time.
	for i := range mostStrikes - 1 {
		wait := 10 * time.Second << i
		for _, step := range []struct {
			after time.Duration
			ends  int
		}{{wait - time.Second, 0}, {2 * time.Second, 1}} {
			m.now = m.now.Add(step.after)
			if outcome, deaths = m.run(units); deaths != step.ends {
				t.Errorf("%d ends in a wait of %v", deaths, wait)
			}
		}
	}
	m.now = m.now.Add(1000 * time.Hour)
	if outcome, deaths = m.run(units); deaths != 0 {
		t.Errorf("%d ends after the last trial", deaths)
	}
	if !strings.Contains(refusals(outcome), "change the object to have it tried again") {
		t.Errorf("refusals:\n%s", refusals(outcome))
	}
	units.set(ingress("b"), entity(kong.Routes, "b", "service", "api"))
	if outcome, _ := m.run(units, ingress("b")); len(outcome.Refusals) > 0 || !slices.Contains(m.fake.names(kong.Routes), "b") {
		t.Errorf("mended: %s", refusals(outcome))
	}
	if _, err := os.Stat(m.path); err == nil {
		t.Error("the ledger is still there")
	}
}

// What Kong had of a unit stays in place when the next version ends a worker and kube-sync.
func TestLastGoodIsKeptOverAnEnd(t *testing.T) {
	m, units := newMortal(t), shop()
	m.run(units)
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api", "die", true))
	outcome, _ := m.run(units, ingress("web"))
	if got := m.fake.names(kong.Routes); !slices.Equal(got, []string{"old", "web"}) || len(outcome.Refusals) != 1 || !outcome.Refusals[0].Kept {
		t.Errorf("routes %v, refusals:\n%s", got, refusals(outcome))
	}
}

// The first configuration of a gateway may have what ends workers, among much else.
func TestAFirstConfigurationOverWhichKubeSyncEnds(t *testing.T) {
	m, units := newMortal(t), shop()
	for i := range 60 {
		name := fmt.Sprintf("r%02d", i)
		units.set(ingress(name), entity(kong.Routes, name, "service", "api"))
		if i == 7 || i == 40 {
			units.set(ingress(name), entity(kong.Routes, name, "service", "api", "die", true))
		}
	}
	outcome, deaths := m.run(units)
	if len(m.fake.names(kong.Routes)) != 60 || len(outcome.Refusals) != 2 || deaths > 20 {
		t.Errorf("%d routes after %d ends, refusals:\n%s", len(m.fake.names(kong.Routes)), deaths, refusals(outcome))
	}
}

// A process that ends for another cause while it sends costs what it sends ten seconds, and
// nothing is held against it.
func TestAnInnocentComesBack(t *testing.T) {
	m, units := newMortal(t), shop()
	m.run(units)
	units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
	m.fake.deaths = 1
	if outcome, deaths := m.run(units, ingress("new")); deaths != 1 || len(outcome.Refusals) != 1 {
		t.Errorf("%d ends, refusals:\n%s", deaths, refusals(outcome))
	}
	m.now = m.now.Add(11 * time.Second)
	if outcome, deaths := m.run(units); deaths != 0 || len(outcome.Refusals) != 0 || !slices.Contains(m.fake.names(kong.Routes), "new") {
		t.Errorf("%d ends, refusals:\n%s", deaths, refusals(outcome))
	}
	if content, err := os.ReadFile(m.path); err == nil {
		t.Errorf("the ledger still has %s", content)
	}
}

// Kong goes back to what it had when a worker ended over a change after it was committed.
func TestAChangeThatKongTakesBack(t *testing.T) {
	m, units := newMortal(t), shop()
	m.run(units)
	before, config := m.fake.hash, m.fake.config
	m.fake.late = true // workers follow later
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
	if outcome, _ := m.run(units, ingress("web")); outcome.Effective || !slices.Contains(m.fake.names(kong.Routes), "web2") {
		t.Errorf("%+v", outcome)
	}
	m.fake.hash, m.fake.config, m.fake.late = before, config, false
	outcome, err := m.Apply(t.Context(), units, nil)
	if err != nil || len(outcome.Refusals) != 1 || !outcome.Refusals[0].Kept || m.fake.hash != before {
		t.Errorf("%v, refusals:\n%s", err, refusals(outcome))
	}
	if got := m.fake.names(kong.Routes); !slices.Equal(got, []string{"old", "web"}) {
		t.Errorf("routes %v", got)
	}
}
