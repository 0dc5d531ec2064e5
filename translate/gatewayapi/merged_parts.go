package gatewayapi

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// oursPart is the part of a Gateway's merged listeners that exists if the Gateway is ours.
type oursPart struct{ unit.PartOf[unit.None] }

// setMerged is what a ListenerSet is told of itself.
type setMerged struct {
	accepted, pooled bool // the Gateway is
	listeners        []assessment
	// omitted is why the Gateway does not have the listeners; empty if it does.
	omitted string
}

// setPart is what one ListenerSet is told.
type setPart struct {
	unit.PartOf[setMerged]
	set unit.Key
}

// listened is a host for which a listener is served, and the namespace of the object that has it.
type listened struct {
	Host route.Host
	By   string
}

// listenedAt is a host at a port of a Gateway.
type listenedAt struct {
	port     int32
	protocol gatewayv1.ProtocolType
	host     route.Host
}

// atPart is the namespace of the object with the listener that is served for a host.
type atPart struct {
	unit.PartOf[string]
	listenedAt
}

// withinPart are the hosts within one for which listeners are served, in order.
type withinPart struct {
	unit.PartOf[[]listened]
	listenedAt
}

// anyWithinPart exists if there are hosts within one for which listeners are served. Unlike
// those it remains the same when there are more.
type anyWithinPart struct {
	unit.PartOf[unit.None]
	listenedAt
}

// securePart are the listeners for HTTPS of a port by namespace, of which more than two are two.
type securePart struct {
	unit.PartOf[map[string]int]
	port int32
}

// certificatePart is the certificate for a server name.
type certificatePart struct {
	unit.PartOf[namedCertificate]
	name string
}

// addParts adds those of a Gateway's merged listeners to their fragment.
func (m *merged) addParts(f *unit.Fragment, r *unit.Reader, gateway *gatewayv1.Gateway) {
	unit.SetPart(f, oursPart{}, unit.None{})
	added := map[string]int{} // by namespace
	secure, within := map[int32]map[string]int{}, map[listenedAt][]listened{}
	for _, a := range m.listeners {
		if a.of.Kind != unit.Gateway {
			added[a.of.Namespace]++
		}
		if !isTrue(a.programmed) {
			continue
		}
		if port := a.spec.Port; a.spec.Protocol == gatewayv1.HTTPSProtocolType {
			if secure[port] == nil {
				secure[port] = map[string]int{}
			}
			secure[port][a.of.Namespace] = min(secure[port][a.of.Namespace]+1, 2)
		}
		at := listenedAt{a.spec.Port, a.spec.Protocol, hostOf(a.spec.Hostname)}
		unit.SetPart(f, atPart{listenedAt: at}, a.of.Namespace)
		for _, wide := range wider(at.host) {
			around := listenedAt{at.port, at.protocol, wide}
			within[around] = append(within[around], listened{at.host, a.of.Namespace})
		}
	}
	for port, listeners := range secure {
		unit.SetPart(f, securePart{port: port}, listeners)
	}
	for around, hosts := range within {
		slices.SortFunc(hosts, func(a, b listened) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.By, b.By)) })
		unit.SetPart(f, withinPart{listenedAt: around}, slices.Compact(hosts))
		unit.SetPart(f, anyWithinPart{listenedAt: around}, unit.None{})
	}
	for _, set := range setsOf(r, gateway) {
		part := setMerged{accepted: isTrue(m.accepted), pooled: m.pooled, listeners: slices.Clone(m.of[set.key])}
		for i := range part.listeners {
			part.listeners[i].narrower = nil
		}
		if len(part.listeners) == 0 && len(set.Spec.Listeners) > 0 {
			part.omitted = tooMany(r, gateway, set.ListenerSet, added[set.Namespace]+len(set.Spec.Listeners))
		}
		unit.SetPart(f, setPart{set: set.key}, part)
	}
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
	of, wide := mergedOf(gateway), l.Host
	for next := range downTo(l.Host, host) {
		if _, ok := unit.UsePart(a.reader, of, anyWithinPart{listenedAt: listenedAt{l.Port, l.Protocol, wide}}); !ok {
			return nil, true
		}
		if by, ok := unit.UsePart(a.reader, of, atPart{listenedAt: listenedAt{l.Port, l.Protocol, next}}); ok && a.heeds(gateway, by) {
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
	all, _ := unit.UsePart(a.reader, mergedOf(gateway), withinPart{listenedAt: listenedAt{l.Port, l.Protocol, host}})
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
