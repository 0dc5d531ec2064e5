package backendref

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Options are settings of the operator.
type Options struct {
	// Relay does what Kong cannot.
	Relay Relay
	// Backend says which endpoints are accepted.
	Backend backend.Options
}

// Define adds the units of the backends of rules to a graph.
func Define(g *unit.Graph, o Options) {
	for kind, d := range RequestRoutes {
		unit.SharedBy(g, d.rule, kind, func(r *unit.Reader, key unit.Key, of ruleOfHost) (unit.Fragment, RuleBackends) {
			return o.rule(d, key, of, r)
		}).OnPanic(func(unit.Key, ruleOfHost) RuleBackends { return d.failing() })
		unit.SharedBy(g, d.references, kind, func(r *unit.Reader, key unit.Key, rule ruleIndex) (unit.Fragment, *References) {
			return o.references(d, key, int(rule), r)
		})
	}
	for kind, d := range StreamRoutes {
		unit.SharedBy(g, d.rule, kind, func(r *unit.Reader, key unit.Key, rule ruleIndex) (unit.Fragment, StreamBackends) {
			return o.streamRule(d, key, int(rule), r)
		})
		unit.SharedBy(g, d.references, kind, func(r *unit.Reader, key unit.Key, rule ruleIndex) (unit.Fragment, *References) {
			return o.streamReferences(key, int(rule), r)
		})
	}
}

// Relay says how Kong reaches the relay in its pod.
type Relay struct {
	// Address is invalid if there is no relay.
	Address netip.AddrPort
	// Secret keeps clients from guessing the keys by which the relay finds a rule.
	Secret string
}

// key returns the key by which a request selects the relay's backends of this name.
func (r Relay) key(name string) string {
	sum := hmac.New(sha256.New, []byte(r.Secret))
	sum.Write([]byte(name))
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
