package gateway

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
)

// address is what tells listeners apart.
type address struct {
	protocol gatewayv1.ProtocolType
	port     int32
	host     route.Host
}

func addressOf(l gatewayv1.Listener) address {
	return address{l.Protocol, l.Port, hostname.Of(l.Hostname)}
}

// contest are the listeners of a Gateway and of its ListenerSets that take precedence over
// those which are looked at.
type contest struct {
	protocols map[int32][]gatewayv1.ProtocolType
	addresses map[address]bool
}

// conflict finds out which listeners are for the same requests. Of those of several
// objects the first is served. Of those of one object none is: nobody could tell whose
// the requests are; they keep their place before those of the objects that follow, which
// could not be had otherwise once the mistake is mended.
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

// enter has the listeners of one object contend with those before, and each other.
func (c contest) enter(own []assessment) {
	var left []*assessment
	for i := range own {
		a := &own[i]
		if schemes[a.spec.Protocol] == "" {
			continue
		}
		if reason := c.against(a.spec); reason != "" {
			a.lose(reason, "one of the Gateway or of an older ListenerSet, which takes precedence")
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
				a.lose(reason, "the listener "+string(b.spec.Name))
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

// against is why a listener cannot be beside those before; empty if it can.
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

// between is why two listeners cannot be beside each other; empty if they can.
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
