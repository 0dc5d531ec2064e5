package routes

import (
	"fmt"
	"slices"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// reasonHostnameConflict is the reason of a route that is not accepted because a route of another
// kind has its hosts. The specification names no reason; listeners use this one.
const reasonHostnameConflict = gatewayv1.RouteConditionReason(gatewayv1.ListenerReasonHostnameConflict)

// age decides which of two routes takes precedence.
type age struct {
	since    time.Time
	isolated bool // hosts belong to namespaces, so only routes of one namespace conflict
}

// hostnameConflict returns why a route is not attached to a listener; empty if it is. An HTTPRoute and
// a GRPCRoute conflict if they have a host in common there, also through wildcards. The oldest route
// is attached.
func (a *attachment) hostnameConflict(to unit.Key, l gateway.Listener, hosts []route.Host) string {
	kind := unit.Kind(a.kind)
	if _, ok := backendref.RequestRoutes[kind]; !ok {
		return ""
	}
	entry := unit.Entry{Contest: unit.Contest{Name: l.Contest}, Side: a.kind, Since: a.age.since}
	if a.age.isolated {
		entry.Contest.Namespace = a.namespace
	}
	for _, host := range hosts {
		entry.Own = append(entry.Own, string(host))
		if host == l.Host {
			continue // the listener has no wider host
		}
		for _, wide := range hostname.Wider(host) {
			entry.Above = append(entry.Above, string(wide))
			if wide == l.Host {
				break
			}
		}
	}
	slices.Sort(entry.Own)
	slices.Sort(entry.Above)
	entry.Own, entry.Above = slices.Compact(entry.Own), slices.Compact(entry.Above)
	entry.Above = slices.DeleteFunc(entry.Above, func(point string) bool {
		_, own := slices.BinarySearch(entry.Own, point)
		return own
	})
	stays, by := a.reader.Enter(entry)
	switch {
	case stays:
		return ""
	case by.Namespace == a.namespace:
		return fmt.Sprintf("listener %s of %s: %s has a host name in common with the route and takes precedence", l.Name, to, by)
	}
	return fmt.Sprintf("listener %s of %s: %s of another namespace has a host name in common with the route and takes precedence", l.Name, to, by.Kind.WithArticle())
}
