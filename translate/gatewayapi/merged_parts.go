package gatewayapi

import (
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// oursPart is the part of a Gateway's merged listeners that exists if the Gateway is ours.
const oursPart = "ours"

// setMerged is what a ListenerSet is told of itself.
type setMerged struct {
	accepted, pooled bool // the Gateway is
	listeners        []assessment
	// omitted is why the Gateway does not have the listeners; empty if it does.
	omitted string
}

func setPart(set unit.Key) string { return "set " + set.String() }

// atPart exists if a listener is served for a host; withinPart are the hosts within one for
// which listeners are served, in order.
func atPart(port int32, protocol gatewayv1.ProtocolType, host route.Host) string {
	return fmt.Sprintf("at %d %s %s", port, protocol, host)
}

func withinPart(port int32, protocol gatewayv1.ProtocolType, host route.Host) string {
	return fmt.Sprintf("within %d %s %s", port, protocol, host)
}

// parts are those of a Gateway's merged listeners.
func (m merged) parts(r *unit.Reader, gateway *gatewayv1.Gateway) map[string]any {
	parts := map[string]any{oursPart: true}
	added := map[string]int{} // by namespace
	for _, a := range m.listeners {
		if a.of.Kind != unit.Gateway {
			added[a.of.Namespace]++
		}
		if isTrue(a.programmed) {
			host := hostOf(a.spec.Hostname)
			parts[atPart(a.spec.Port, a.spec.Protocol, host)] = true
			for _, wide := range wider(host) {
				part := withinPart(a.spec.Port, a.spec.Protocol, wide)
				hosts, _ := parts[part].([]route.Host)
				parts[part] = append(hosts, host)
			}
		}
	}
	for name, part := range parts {
		if hosts, ok := part.([]route.Host); ok {
			slices.Sort(hosts)
			parts[name] = slices.Compact(hosts)
		}
	}
	for _, set := range setsOf(r, gateway) {
		part := setMerged{accepted: isTrue(m.accepted), pooled: m.pooled, listeners: slices.Clone(m.of[set.key])}
		for i := range part.listeners {
			part.listeners[i].narrower = nil
		}
		if len(part.listeners) == 0 && len(set.Spec.Listeners) > 0 {
			part.omitted = tooMany(r, gateway, set.ListenerSet, added[set.Namespace]+len(set.Spec.Listeners))
		}
		parts[setPart(set.key)] = part
	}
	return parts
}

// wider are the hosts that cover a host and are not it, the widest last.
func wider(host route.Host) (all []route.Host) {
	if host == "" {
		return nil
	}
	name := string(host)
	if host.Wildcard() {
		name = host.Domain()
	}
	for {
		_, domain, ok := strings.Cut(name, ".")
		if !ok {
			return append(all, "")
		}
		all, name = append(all, route.Host("*."+domain)), domain
	}
}

// narrower are the hosts within a host of a listener that are other listeners' of the Gateway
// and the port: requests to them are those listeners' alone. It is false if that is all.
func narrower(r *unit.Reader, gateway unit.Key, l listener, host route.Host) (not []route.Host, some bool) {
	if l.Host != "" && !l.Host.Wildcard() {
		return nil, true
	}
	of := mergedID(gateway)
	for _, wide := range append([]route.Host{host}, wider(host)...) {
		if wide == l.Host {
			break
		}
		if r.UsePart(of, atPart(l.Port, l.Protocol, wide)) != nil {
			return nil, false
		}
	}
	if host != "" && !host.Wildcard() {
		return nil, true
	}
	not, _ = r.UsePart(of, withinPart(l.Port, l.Protocol, host)).([]route.Host)
	return not, true
}
