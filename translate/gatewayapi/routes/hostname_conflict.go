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

// reasonHostnameConflict is why a route is not accepted whose hosts are of the other kind's. The
// specification names no reason; it is the one that listeners have.
const reasonHostnameConflict = gatewayv1.RouteConditionReason(gatewayv1.ListenerReasonHostnameConflict)

// age is what decides between two routes.
type age struct {
	since    time.Time
	isolated bool // hosts of namespaces are apart, and so are their routes
}

// crossServed returns why a route is not served by a listener at which an HTTPRoute and a
// GRPCRoute have a host in common; empty if it is. The oldest of two has the listener, also with
// wildcards and where one of them is for all hosts.
func (a *attachment) crossServed(to unit.Key, l gateway.Listener, hosts []route.Host) string {
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
			continue // no host at the listener is wider
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
		return fmt.Sprintf("listener %s of %s: %s, which takes precedence, has a host name in common with the route", l.Name, to, by)
	}
	return fmt.Sprintf("listener %s of %s: %s of another namespace, which takes precedence, has a host name in common with the route", l.Name, to, by.Kind.WithArticle())
}
