package translate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// FuzzTenants tests that nothing in one namespace affects another's objects: the entities and verdicts
// of the victim are the same with and without the attacker's objects. In a conflict the oldest object
// takes precedence, so either the victim's objects are older or the attacker's do not conflict with
// them. No object of the victim permits the attacker anything.
func FuzzTenants(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(someBytes(seed, 3000), someBytes(seed+1000, 3000), seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, of, against []byte, older bool) {
		o := translate.Options{IngressClass: "kong"}
		o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
		g := translate.New(o)
		for _, c := range anything.Victims(of) {
			g.Update(c)
		}
		before := ofVictim(stateOf(g))
		attack := anything.Attack(against, older)
		g.Update(attack...)
		if diff := cmp.Diff(before, ofVictim(stateOf(g))); diff != "" {
			t.Errorf("the victim's part changed:\n%s", diff)
		}
		for _, c := range attack {
			g.Update(unit.Change{Key: c.Key})
		}
		if diff := cmp.Diff(before, ofVictim(stateOf(g))); diff != "" {
			t.Errorf("the victim's part changed after the attacker's objects were deleted:\n%s", diff)
		}
	})
}

// ofVictim returns the victim's part of a state.
func ofVictim(s state) state {
	part := state{Units: map[unit.ID]string{}, Verdicts: map[unit.Key]string{}}
	for id, entities := range s.Units {
		if id.Namespace == anything.Victim {
			part.Units[id] = entities
		}
	}
	for key, verdicts := range s.Verdicts {
		if key.Namespace == anything.Victim {
			part.Verdicts[key] = strings.TrimSpace(verdicts)
		}
	}
	return part
}
