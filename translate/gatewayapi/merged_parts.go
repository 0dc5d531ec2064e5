package gatewayapi

import (
	"cmp"
	"fmt"
	"iter"
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

// listened is a host for which a listener is served, and the namespace of the object that has it.
type listened struct {
	Host route.Host
	By   string
}

// atPart is the namespace of the object with the listener that is served for a host; withinPart
// are the hosts within one for which listeners are served, in order. anyWithinPart exists if
// there are such: unlike those it remains the same when there are more.
func atPart(port int32, protocol gatewayv1.ProtocolType, host route.Host) string {
	return fmt.Sprintf("at %d %s %s", port, protocol, host)
}

func withinPart(port int32, protocol gatewayv1.ProtocolType, host route.Host) string {
	return fmt.Sprintf("within %d %s %s", port, protocol, host)
}

func anyWithinPart(port int32, protocol gatewayv1.ProtocolType, host route.Host) string {
	return fmt.Sprintf("any within %d %s %s", port, protocol, host)
}

// securePart are the listeners for HTTPS of a port by namespace, of which more than two are two.
func securePart(port int32) string { return fmt.Sprintf("secure %d", port) }

// certificatePart is the certificate for a server name.
func certificatePart(name string) string { return "certificate for " + name }

// parts are those of a Gateway's merged listeners.
func (m merged) parts(r *unit.Reader, gateway *gatewayv1.Gateway) map[string]any {
	parts := map[string]any{oursPart: true}
	added := map[string]int{} // by namespace
	for _, a := range m.listeners {
		if a.of.Kind != unit.Gateway {
			added[a.of.Namespace]++
		}
		if isTrue(a.programmed) {
			if a.spec.Protocol == gatewayv1.HTTPSProtocolType {
				secure, _ := parts[securePart(a.spec.Port)].(map[string]int)
				if secure == nil {
					secure = map[string]int{}
					parts[securePart(a.spec.Port)] = secure
				}
				secure[a.of.Namespace] = min(secure[a.of.Namespace]+1, 2)
			}
			host := hostOf(a.spec.Hostname)
			parts[atPart(a.spec.Port, a.spec.Protocol, host)] = a.of.Namespace
			for _, wide := range wider(host) {
				part := withinPart(a.spec.Port, a.spec.Protocol, wide)
				hosts, _ := parts[part].([]listened)
				parts[part] = append(hosts, listened{host, a.of.Namespace})
				parts[anyWithinPart(a.spec.Port, a.spec.Protocol, wide)] = true
			}
		}
	}
	for name, part := range parts {
		if hosts, ok := part.([]listened); ok {
			slices.SortFunc(hosts, func(a, b listened) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.By, b.By)) })
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
	name := domainOf(host)
	for {
		_, domain, ok := strings.Cut(name, ".")
		if !ok {
			return append(all, "")
		}
		all, name = append(all, route.Host("*."+domain)), domain
	}
}

// downTo yields the hosts from a wide one, which is left out, to one that it covers, the widest
// first. No more of them are made than are asked for: names may have many labels.
func downTo(wide, host route.Host) iter.Seq[route.Host] {
	return func(yield func(route.Host) bool) {
		name := domainOf(host)
		for at := strings.LastIndexByte(name, '.'); at >= 0; at = strings.LastIndexByte(name[:at], '.') {
			if domain := name[at+1:]; len(domain) > len(domainOf(wide)) && !yield(route.Host("*."+domain)) {
				return
			}
		}
		if host != wide {
			yield(host)
		}
	}
}

// domainOf is a host without its wildcard.
func domainOf(host route.Host) string {
	if host.Wildcard() {
		return host.Domain()
	}
	return string(host)
}

// narrower returns the hosts within a host of a listener that belong to other listeners of the
// Gateway and the port: only those listeners serve requests for them. It is false if that is
// the whole host. It asks for no more of the Gateway's parts than there are listeners within
// each other.
func (a *attachment) narrower(gateway unit.Key, l listener, host route.Host) (not []route.Host, some bool) {
	if l.Host != "" && !l.Host.Wildcard() {
		return nil, true
	}
	of, wide := mergedID(gateway), l.Host
	for next := range downTo(l.Host, host) {
		if a.reader.UsePart(of, anyWithinPart(l.Port, l.Protocol, wide)) == nil {
			return nil, true
		}
		if by, ok := a.reader.UsePart(of, atPart(l.Port, l.Protocol, next)).(string); ok && a.heeds(gateway, by) {
			return nil, false
		}
		wide = next
	}
	if host != "" && !host.Wildcard() {
		return nil, true
	}
	return a.othersWithin(gateway, l, host), true
}

// othersWithin returns the hosts within one for which other listeners of the Gateway and the port are
// served.
func (a *attachment) othersWithin(gateway unit.Key, l listener, host route.Host) (hosts []route.Host) {
	all, _ := a.reader.UsePart(mergedID(gateway), withinPart(l.Port, l.Protocol, host)).([]listened)
	for _, other := range all {
		if a.heeds(gateway, other.By) {
			hosts = append(hosts, other.Host)
		}
	}
	return hosts
}

// heeds reports whether a listener that an object of a namespace adds to a Gateway takes
// requests from the route. Where namespaces are isolated it takes them from routes of its own
// namespace alone, unless the Gateway is of that namespace too.
func (a *attachment) heeds(gateway unit.Key, namespace string) bool {
	return !a.age.isolated || namespace == gateway.Namespace || namespace == a.namespace
}
