package routes

import (
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// moreSpecific returns the hosts within a host of a listener that belong to other listeners of the
// Gateway and the port: only those listeners serve requests for them. It is false if that is
// the whole host. It asks for no more of the Gateway's parts than there are listeners within
// each other.
func (a *attachment) moreSpecific(gw unit.Key, l gateway.Listener, host route.Host) (not []route.Host, some bool) {
	if l.Host != "" && !l.Host.Wildcard() {
		return nil, true
	}
	wide := l.Host
	for next := range hostname.Between(l.Host, host) {
		if !gateway.AnyWithin(a.reader, gw, l, wide) {
			return nil, true
		}
		if by, ok := gateway.NamespaceAt(a.reader, gw, l, next); ok && a.servesFrom(gw, by) {
			return nil, false
		}
		wide = next
	}
	if host != "" && !host.Wildcard() {
		return nil, true
	}
	return a.othersWithin(gw, l, host), true
}

// othersWithin returns the hosts within one for which other listeners of the Gateway and the port are
// served.
func (a *attachment) othersWithin(gw unit.Key, l gateway.Listener, host route.Host) (hosts []route.Host) {
	for _, other := range gateway.HostsWithin(a.reader, gw, l, host) {
		if a.servesFrom(gw, other.Namespace) {
			hosts = append(hosts, other.Host)
		}
	}
	return hosts
}

// servesFrom reports whether a listener that an object of a namespace adds to a Gateway takes
// requests from the route. Where namespaces are isolated it takes them from routes of its own
// namespace alone, unless the Gateway is of that namespace too.
func (a *attachment) servesFrom(gw unit.Key, namespace string) bool {
	return !a.age.isolated || namespace == gw.Namespace || namespace == a.namespace
}
