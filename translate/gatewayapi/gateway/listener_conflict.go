package gateway

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
)

// address identifies a listener: two listeners of a Gateway with the same one conflict.
type address struct {
	protocol gatewayv1.ProtocolType
	port     int32
	host     route.Host
}

func addressOf(l gatewayv1.Listener) address {
	return address{l.Protocol, l.Port, hostname.Of(l.Hostname)}
}

// contest holds the listeners of a Gateway and its ListenerSets that take precedence over the rest.
type contest struct {
	protocols map[int32][]gatewayv1.ProtocolType
	addresses map[address]bool
}

// conflict finds listeners that conflict. If they belong to several objects, the first one is
// served. If they belong to one object, none is. They still take precedence over later objects'
// listeners, which would otherwise lose their place once the mistake is corrected.
func conflict(all []assessment) {
	earlier := contest{protocols: map[int32][]gatewayv1.ProtocolType{}, addresses: map[address]bool{}}
	for len(all) > 0 {
		n := 0
		for n < len(all) && all[n].of == all[0].of {
			n++
		}
		earlier.enter(all[:n])
		all = all[n:]
	}
}

// enter finds the conflicts of one object's listeners with earlier ones and with each other, and
// adds those listeners that conflict with no earlier one.
func (c contest) enter(own []assessment) {
	var left []*assessment
	for i := range own {
		a := &own[i]
		if schemes[a.spec.Protocol] == "" {
			continue
		}
		if reason := c.against(a.spec); reason != "" {
			a.lose(reason, "a listener of the Gateway or of an older ListenerSet, which takes precedence")
			continue
		}
		left = append(left, a)
	}
	for _, a := range left {
		for _, b := range left {
			if a == b {
				continue
			}
			if reason := between(a.spec, b.spec); reason != "" {
				a.lose(reason, "listener "+string(b.spec.Name))
			}
		}
	}
	for _, a := range left {
		if port := a.spec.Port; !slices.Contains(c.protocols[port], a.spec.Protocol) {
			c.protocols[port] = append(c.protocols[port], a.spec.Protocol)
		}
		c.addresses[addressOf(a.spec)] = true
	}
}

// against returns why a listener conflicts with an earlier one; empty if it does not.
func (c contest) against(l gatewayv1.Listener) gatewayv1.ListenerConditionReason {
	for _, protocol := range c.protocols[l.Port] {
		if clash(protocol, l.Protocol) {
			return gatewayv1.ListenerReasonProtocolConflict
		}
	}
	if c.addresses[addressOf(l)] {
		return gatewayv1.ListenerReasonHostnameConflict
	}
	return ""
}

// between returns why two listeners conflict; empty if they do not.
func between(a, b gatewayv1.Listener) gatewayv1.ListenerConditionReason {
	switch {
	case a.Port != b.Port:
	case clash(a.Protocol, b.Protocol):
		return gatewayv1.ListenerReasonProtocolConflict
	case addressOf(a) == addressOf(b):
		return gatewayv1.ListenerReasonHostnameConflict
	}
	return ""
}

func (a *assessment) lose(reason gatewayv1.ListenerConditionReason, to string) {
	at := a.path.Child("hostname")
	if reason == gatewayv1.ListenerReasonProtocolConflict {
		at = a.path.Child("protocol")
	}
	a.conflicted = listenerConflict(reason, to).At(at)
	if condition.IsTrue(a.accepted) {
		a.accepted = listenerNotAccepted(reason).At(at)
	}
}
