package routes

import (
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// moreSpecific returns the hosts, covered by a host of a listener, that belong to other listeners of
// the Gateway and port: requests for them are served by those listeners only. It is false if that is
// true of the whole host. The walk ends where no more listeners are nested.
func (a *attachment) moreSpecific(gatewayKey unit.Key, l gateway.Listener, host route.Host) (not []route.Host, some bool) {
	if l.Host != "" && !l.Host.Wildcard() {
		return nil, true
	}
	wide := l.Host
	for next := range hostname.Between(l.Host, host) {
		if !gateway.AnyWithin(a.reader, gatewayKey, l, wide) {
			return nil, true
		}
		if by, ok := gateway.NamespaceAt(a.reader, gatewayKey, l, next); ok && a.isServedBy(gatewayKey, by) {
			return nil, false
		}
		wide = next
	}
	if host != "" && !host.Wildcard() {
		return nil, true
	}
	return a.othersWithin(gatewayKey, l, host), true
}

// othersWithin returns the hosts of other listeners of the Gateway and port that a host covers.
func (a *attachment) othersWithin(gatewayKey unit.Key, l gateway.Listener, host route.Host) (hosts []route.Host) {
	for _, other := range gateway.HostsWithin(a.reader, gatewayKey, l, host) {
		if a.isServedBy(gatewayKey, other.Namespace) {
			hosts = append(hosts, other.Host)
		}
	}
	return hosts
}

// isServedBy reports whether a Gateway's listener that an object of the namespace has takes requests
// away from the route. If namespaces are isolated, a listener of another namespace than the route's
// and the Gateway's does not.
func (a *attachment) isServedBy(gatewayKey unit.Key, namespace string) bool {
	return !a.age.isolated || namespace == gatewayKey.Namespace || namespace == a.namespace
}
