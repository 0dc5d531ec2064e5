package companion

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// await applies until nothing is due and all workers work by it, as the agent does. Errors
// are those of a Kong whose workers are just ending.
func (s *schemas) await(objects ...unit.Change) (outcome gateway.Outcome) {
	s.k.t.Helper()
	changed := s.graph.Update(objects...).Units
	s.k.eventually("the change", func() bool {
		var err error
		if outcome, err = s.gateway.Apply(context.Background(), s.graph, changed); err != nil {
			s.k.t.Log(err)
			return false
		}
		changed = map[unit.ID]struct{}{}
		var settled bool
		s.k.eventually("what Kong says", func() bool {
			state, err := s.gateway.State(context.Background())
			if err == nil && state.Hash != outcome.Hash {
				changed = nil
			}
			settled = err == nil && state.Hash == outcome.Hash && state.Effective && !state.Due
			return err == nil && (settled || state.Due || state.Hash != outcome.Hash)
		})
		return settled
	})
	return outcome
}

// TestAnObjectOverWhichWorkersEnd has an Ingress over whose route workers end, when they
// take it over and when they start. It is told and never sent again, and an Ingress of
// another namespace changes with it and after it.
func TestAnObjectOverWhichWorkersEnd(t *testing.T) {
	for name, overlay := range map[string]map[string]string{
		"when they take it over": deadlyRouter,
		"when they check it": {"kong.plugins.kube-sync-delta.complete": `
local parse = module.parse
module.parse = function(input)
  for _, route in ipairs(input.routes or {}) do
    if route.name:find("deadly") then die() end
  end
  return parse(input)
end`},
	} {
		t.Run(name, func(t *testing.T) {
			k := overlaid(t, overlay, "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-closed")
			s := newSchemas(k)
			begun := time.Now()
			outcome := s.await(ingress("attacker", "deadly", "/", ""), ingress("attacker", "fine", "/", ""), s.change())
			t.Logf("effective within %v", time.Since(begun))
			s.expectOnly(outcome, "deadly")
			pids := k.workers()
			for range 3 {
				s.expectOnly(s.await(s.change()), "deadly")
			}
			if now := k.workers(); !slices.Equal(now, pids) {
				t.Errorf("workers were %v and are %v", pids, now)
			}
			if outcome := s.await(ingress("attacker", "mended", "/", ""), unit.Change{Key: unit.Key{Kind: unit.Ingress, Namespace: "attacker", Name: "deadly"}}); len(outcome.Refusals) > 0 {
				t.Errorf("mended: %+v", outcome.Refusals)
			}
		})
	}
}

// TestAnObjectOverWhichWorkersHang is the same of a route over which a worker hangs for as
// long as nobody ends it.
func TestAnObjectOverWhichWorkersHang(t *testing.T) {
	k := overlaid(t, map[string]string{"kong.db.declarative": `
local parse_table = module.parse_table
module.parse_table = function(self, input, ...)
  for _, route in ipairs(input.routes or {}) do
    if route.name:find("deadly") then
      repeat until false
    end
  end
  return parse_table(self, input, ...)
end`}, "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-closed")
	s := newSchemas(k)
	for _, full := range []bool{false, true} {
		begun := time.Now()
		if full {
			s.gateway.Again()
		}
		s.expectOnly(s.await(ingress("attacker", "deadly", "/"+fmt.Sprint(full), ""), ingress("attacker", "fine", "/"+fmt.Sprint(full), ""), s.change()), "deadly")
		t.Logf("effective within %v", time.Since(begun))
		pids := k.workers()
		for range 3 {
			s.expectOnly(s.await(s.change()), "deadly")
		}
		if now := k.workers(); !slices.Equal(now, pids) {
			t.Errorf("workers were %v and are %v", pids, now)
		}
	}
}

// expectOnly tells when another object than one of the attacker's is refused, or that is not.
func (s *schemas) expectOnly(outcome gateway.Outcome, name string) {
	s.k.t.Helper()
	if len(outcome.Refusals) != 1 || outcome.Refusals[0].Object.Name != name || !strings.Contains(outcome.Refusals[0].Messages[0], "worker") &&
		!strings.Contains(outcome.Refusals[0].Messages[0], "no answer within") {
		s.k.t.Errorf("refusals: %+v", outcome.Refusals)
	}
	for range 4 {
		if wrong, _ := s.k.try(want{host: "web.shop.test", path: "/" + strconv.Itoa(s.changes), code: 503}); wrong != "" {
			s.k.t.Errorf("change %d: %s", s.changes, wrong)
		}
	}
}
