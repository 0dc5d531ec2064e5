package companion

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// triedAgain is when the gateway sends an object again for the first time after a worker ended over
// it. On a busy machine that may be during a test.
const triedAgain = 10 * time.Second

// await applies changes as the agent does, until nothing is due and all workers use the result.
// Errors come from a Kong whose workers are ending.
func (s *schemas) await(objects ...unit.Change) (outcome gateway.Outcome) {
	s.k.t.Helper()
	changed := s.graph.Update(objects...).Units
	s.k.Eventually("the change", func() bool {
		var err error
		if outcome, err = s.gateway.Apply(context.Background(), s.graph, changed); err != nil {
			s.k.t.Log(err)
			return false
		}
		if changed = outcome.Left; len(changed) > 0 {
			return false
		}
		changed = map[unit.ID]struct{}{}
		var settled bool
		s.k.Eventually("what Kong says", func() bool {
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

// TestAnObjectOverWhichWorkersEnd applies an Ingress whose route ends workers, when they take it over
// and when they start. The Ingress is reported and not sent again, and an Ingress of another namespace
// changes with it and after it.
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
			pids := k.Workers()
			for range 3 {
				s.expectOnly(s.await(s.change()), "deadly")
			}
			if now := k.Workers(); !slices.Equal(now, pids) && time.Since(begun) < triedAgain {
				t.Errorf("workers were %v and are %v", pids, now)
			}
			if outcome := s.await(ingress("attacker", "mended", "/", ""), unit.Change{Key: unit.Key{Kind: unit.Ingress, Namespace: "attacker", Name: "deadly"}}); len(outcome.Refusals) > 0 {
				t.Errorf("mended: %+v", outcome.Refusals)
			}
		})
	}
}

// TestAnObjectOverWhichWorkersHang is the same with a route over which a worker hangs until it is
// killed.
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
			s.gateway.ForceFullLoad()
		}
		s.expectOnly(s.await(ingress("attacker", "deadly", "/"+fmt.Sprint(full), ""), ingress("attacker", "fine", "/"+fmt.Sprint(full), ""), s.change()), "deadly")
		t.Logf("effective within %v", time.Since(begun))
		pids := k.Workers()
		for range 3 {
			s.expectOnly(s.await(s.change()), "deadly")
		}
		if now := k.Workers(); !slices.Equal(now, pids) && time.Since(begun) < triedAgain {
			t.Errorf("workers were %v and are %v", pids, now)
		}
	}
}

// expectOnly fails unless exactly the attacker's object with a name is rejected.
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

// TestARefusedPluginOfAConsumerClosesTheRoute has plugins for a route and a consumer that Kong
// rejects, or over which its code fails. The route answers no request, after a delta and after a full
// load.
func TestARefusedPluginOfAConsumerClosesTheRoute(t *testing.T) {
	k := start(t, "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-closed,kube-sync-tenants")
	for config, says := range map[string]string{
		`{"minute":"many"}`:              "expected a number",
		`{"minute":5,"redis_host":5}`:    "Kong fails to process it",
		`{"minute":[{"x":[]}],"hour":5}`: "",
	} {
		for _, full := range []bool{false, true} {
			s := newSchemas(k)
			plugin := &configurationv1.KongPlugin{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "limit"}, PluginName: "rate-limiting"}
			plugin.Config = apiextensionsv1.JSON{Raw: []byte(config)}
			ann := &configurationv1.KongConsumer{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "ann"}, Username: "ann"}
			ann.Annotations = map[string]string{"kubernetes.io/ingress.class": "kong", "konghq.com/plugins": "limit"}
			if full {
				s.gateway.ForceFullLoad()
			}
			outcome := s.apply(map[unit.ID]struct{}{}, changeOf(unit.KongConsumer, ann), changeOf(unit.KongPlugin, plugin), ingress("shop", "limited", "/", "limit"))
			k.Eventually("the change in all workers", func() bool { return k.status().Ready })
			told := false
			for _, r := range outcome.Refusals {
				told = told || r.Object == (unit.Key{Kind: unit.KongPlugin, Namespace: "shop", Name: "limit"}) && strings.Contains(strings.Join(r.Messages, " "), says)
			}
			if !told || outcome.Delta == full {
				t.Errorf("%s, everything %t: refusals %+v", config, full, outcome.Refusals)
			}
			if wrong, _ := k.try(want{host: "limited.shop.test", path: "/", code: http.StatusOK}); !strings.Contains(wrong, "answered 503") || !strings.Contains(wrong, "the plugin rate-limiting is not available") {
				t.Errorf("%s, everything %t: %s", config, full, wrong)
			}
		}
	}
}
