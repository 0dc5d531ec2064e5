package gateway

import (
	"cmp"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// oursPart is the part of a Gateway's merged listeners that exists if the Gateway belongs to this
// controller.
type oursPart struct{ unit.PartOf[unit.None] }

// setMerged is the part of one ListenerSet.
type setMerged struct {
	accepted, pooled bool // the Gateway is
	listeners        []assessment
	// omitted is why the listeners are not added to the Gateway; empty if they are.
	omitted string
}

// setPart identifies the part of one ListenerSet.
type setPart struct {
	unit.PartOf[setMerged]
	set unit.Key
}

// HostListener is the host of a served listener, and the namespace of the object with the listener.
type HostListener struct {
	Host      route.Host
	Namespace string
}

// listenedAt is a host at a port of a Gateway.
type listenedAt struct {
	port     int32
	protocol gatewayv1.ProtocolType
	host     route.Host
}

// atPart is the namespace of the object with the served listener for a host.
type atPart struct {
	unit.PartOf[string]
	listenedAt
}

// withinPart are the hosts of served listeners that a host covers, sorted.
type withinPart struct {
	unit.PartOf[[]HostListener]
	listenedAt
}

// anyWithinPart exists if [withinPart] does. Unlike that, it remains the same when hosts are added.
type anyWithinPart struct {
	unit.PartOf[unit.None]
	listenedAt
}

// securePart is the number of HTTPS listeners at a port by namespace; 2 stands for two or more.
type securePart struct {
	unit.PartOf[map[string]int]
	port int32
}

// certificatePart is the certificate for a server name.
type certificatePart struct {
	unit.PartOf[Certificate]
	name string
}

// addParts adds the parts of a Gateway's merged listeners to the fragment.
func (m *merged) addParts(f *unit.Fragment, r *unit.Reader, gateway *gatewayv1.Gateway) {
	unit.SetPart(f, oursPart{}, unit.None{})
	added := map[string]int{} // by namespace
	secure, within := map[int32]map[string]int{}, map[listenedAt][]HostListener{}
	for _, a := range m.listeners {
		if a.of.Kind != unit.Gateway {
			added[a.of.Namespace]++
		}
		if !condition.IsTrue(a.programmed) {
			continue
		}
		if port := a.spec.Port; a.spec.Protocol == gatewayv1.HTTPSProtocolType {
			if secure[port] == nil {
				secure[port] = map[string]int{}
			}
			secure[port][a.of.Namespace] = min(secure[port][a.of.Namespace]+1, 2)
		}
		at := listenedAt{a.spec.Port, a.spec.Protocol, hostname.Of(a.spec.Hostname)}
		unit.SetPart(f, atPart{listenedAt: at}, a.of.Namespace)
		for _, wide := range hostname.Wider(at.host) {
			around := listenedAt{at.port, at.protocol, wide}
			within[around] = append(within[around], HostListener{at.host, a.of.Namespace})
		}
	}
	for port, listeners := range secure {
		unit.SetPart(f, securePart{port: port}, listeners)
	}
	for around, hosts := range within {
		slices.SortFunc(hosts, func(a, b HostListener) int {
			return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Namespace, b.Namespace))
		})
		unit.SetPart(f, withinPart{listenedAt: around}, slices.Compact(hosts))
		unit.SetPart(f, anyWithinPart{listenedAt: around}, unit.None{})
	}
	for _, set := range setsOf(r, gateway) {
		part := setMerged{accepted: condition.IsTrue(m.accepted), pooled: m.pooled, listeners: slices.Clone(m.of[set.key])}
		for i := range part.listeners {
			part.listeners[i].moreSpecific = nil
		}
		if len(part.listeners) == 0 && len(set.Spec.Listeners) > 0 {
			part.omitted = tooMany(r, gateway, set.ListenerSet, added[set.Namespace]+len(set.Spec.Listeners))
		}
		unit.SetPart(f, setPart{set: set.key}, part)
	}
}

// AnyWithin reports whether the Gateway has other listeners, at the port of a listener, whose hosts
// a host covers.
func AnyWithin(r *unit.Reader, of unit.Key, l Listener, host route.Host) bool {
	_, ok := unit.UsePart(r, mergedOf(of), anyWithinPart{listenedAt: listenedAt{l.Port, l.Protocol, host}})
	return ok
}

// NamespaceAt returns the namespace of the object with the Gateway's listener for a host at the port
// of a listener; it is false if there is none.
func NamespaceAt(r *unit.Reader, of unit.Key, l Listener, host route.Host) (string, bool) {
	return unit.UsePart(r, mergedOf(of), atPart{listenedAt: listenedAt{l.Port, l.Protocol, host}})
}

// HostsWithin returns the hosts, sorted, of the Gateway's other listeners at the port of a listener
// that a host covers.
func HostsWithin(r *unit.Reader, of unit.Key, l Listener, host route.Host) []HostListener {
	all, _ := unit.UsePart(r, mergedOf(of), withinPart{listenedAt: listenedAt{l.Port, l.Protocol, host}})
	return all
}

// SecureListeners returns the number of HTTPS listeners that the Gateway has at a port by namespace;
// 2 stands for two or more.
func SecureListeners(r *unit.Reader, of unit.Key, port int32) map[string]int {
	listeners, _ := unit.UsePart(r, mergedOf(of), securePart{port: port})
	return listeners
}

// CertificateFor returns the Gateway's certificate for a server name; it is false if there is none.
func CertificateFor(r *unit.Reader, of unit.Key, name string) (Certificate, bool) {
	return unit.UsePart(r, mergedOf(of), certificatePart{name: name})
}
