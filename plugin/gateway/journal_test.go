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

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// crashing is a gateway that ends when a worker does, like kube-sync with the worker that started
// it, and the file that it leaves behind.
type crashing struct {
	t     *testing.T
	fake  *fakeKong
	admin *adminapi.Client
	path  string
	now   time.Time
	*Gateway
}

func newCrashing(t *testing.T) *crashing {
	fake, admin := newFakeKong(t)
	fake.companion = true
	m := &crashing{t: t, fake: fake, admin: admin, path: filepath.Join(t.TempDir(), "sending"), now: time.Now()}
	m.start()
	return m
}

// start starts a new process.
func (m *crashing) start() {
	m.t.Helper()
	journal, err := OpenJournal(m.path, m.now)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Gateway = New(m.admin, noRelay{})
	m.Gateway.now = func() time.Time { return m.now }
	m.UseJournal(journal)
}

// run applies the units as the agent does, until nothing is due. When a worker dies over what is
// sent, the process ends, and leaves the file as it is then.
func (m *crashing) run(units *graph, ids ...unit.ID) (outcome Outcome, deaths int) {
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
	m.t.Fatal("there is always something due")
	return
}

// portOf is the Sub of an id.
type portOf int

func (p portOf) String() string { return fmt.Sprint(int(p)) }

// The next process identifies a unit with any id.
func TestAnyUnitOverWhichKubeSyncEnds(t *testing.T) {
	m, units := newCrashing(t), shop()
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

// A unit that ends a worker and kube-sync is not sent again; units that were sent with it are.
func TestAChangeOverWhichKubeSyncEnds(t *testing.T) {
	m, units := newCrashing(t), shop()
	m.run(units)
	units.set(ingress("a"), entity(kong.Routes, "a", "service", "api"))
	units.set(ingress("b"), entity(kong.Routes, "b", "service", "api", "die", true))
	units.set(ingress("c"), entity(kong.Routes, "c", "service", "api"))
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api"))
	outcome, deaths := m.run(units, ingress("a"), ingress("b"), ingress("c"), ingress("web"))
	if got := m.fake.names(kong.Routes); !slices.Equal(got, []string{"a", "c", "old", "web2"}) || deaths > 2 {
		t.Errorf("routes %v after %d ends", got, deaths)
	}
	if len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != ingress("b") || !strings.Contains(refusals(outcome), "a worker of Kong crashed or hung when this object was sent to it; it is tried again at ") {
		t.Errorf("refusals:\n%s", refusals(outcome))
	}
	// Neither later changes nor later processes send it before its retry time.
	for range 3 {
		m.start()
		units.set(ingress("c"), entity(kong.Routes, fmt.Sprintf("c%d", len(m.fake.names(kong.Routes))), "service", "api"))
		if _, deaths := m.run(units, ingress("c")); deaths > 0 {
			t.Errorf("%d more ends", deaths)
		}
	}
	// It is sent eight times in all, alone, after twice as long each time.
	for i := range maxFailures - 1 {
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
		t.Errorf("%d ends after the last retry", deaths)
	}
	if !strings.Contains(refusals(outcome), "it is tried again when the object changes") {
		t.Errorf("refusals:\n%s", refusals(outcome))
	}
	units.set(ingress("b"), entity(kong.Routes, "b", "service", "api"))
	if outcome, _ := m.run(units, ingress("b")); len(outcome.Refusals) > 0 || !slices.Contains(m.fake.names(kong.Routes), "b") {
		t.Errorf("corrected: %s", refusals(outcome))
	}
	if _, err := os.Stat(m.path); err == nil {
		t.Error("the journal still exists")
	}
}

// What Kong had of a unit stays if its next version ends a worker and kube-sync.
func TestLastGoodIsKeptOverAnEnd(t *testing.T) {
	m, units := newCrashing(t), shop()
	m.run(units)
	units.set(ingress("web"), entity(kong.Routes, "web2", "service", "api", "die", true))
	outcome, _ := m.run(units, ingress("web"))
	if got := m.fake.names(kong.Routes); !slices.Equal(got, []string{"old", "web"}) || len(outcome.Refusals) != 1 || !outcome.Refusals[0].Kept {
		t.Errorf("routes %v, refusals:\n%s", got, refusals(outcome))
	}
}

// The first configuration of a gateway may have units that end workers, among many others.
func TestAFirstConfigurationOverWhichKubeSyncEnds(t *testing.T) {
	m, units := newCrashing(t), shop()
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

// If a process ends for another cause while it sends a unit, the unit is sent again after ten
// seconds, and leaves no trace in the journal.
func TestAUnitThatIsNotTheCauseComesBack(t *testing.T) {
	m, units := newCrashing(t), shop()
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
		t.Errorf("the journal still has %s", content)
	}
}

// Kong rolls back if a worker dies over a change after it was committed.
func TestKongRollsAChangeBack(t *testing.T) {
	m, units := newCrashing(t), shop()
	m.run(units)
	before, config := m.fake.hash, m.fake.config
	m.fake.late = true
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
