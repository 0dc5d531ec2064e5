package routes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// attachment is a route's attachment to its parents.
type attachment struct {
	reader    *unit.Reader
	kind      string // of the route
	namespace string
	age       age
	hostnames []gatewayv1.Hostname

	parents []parent
	// sections are the listeners to which the route is attached, maybe with duplicates.
	sections []unit.Section
	bindings []binding
	// byHost are the indexes of the bindings for a host.
	byHost map[route.Host][]int
	// gateways are the Gateways that the route is attached to, directly or by a ListenerSet.
	gateways []unit.Key
	// listeners counts the listeners that the route can be attached to, up to the limit of a route;
	// excess counts the rest. If full is set, the namespace has no room for them.
	listeners, excess int
	full              bool
	// labels counts the labels of the hosts at listeners, up to the limit; omitted counts the hosts
	// beyond it.
	omitted, labels int
	// conflicts are the listeners at which routes of another kind take precedence.
	conflicts []condition.Cause
	// ambiguous are messages about Gateways that share a port and differ in client certificates.
	ambiguous []string
}

// parent is one of the route's parents that belongs to this controller.
type parent struct {
	ref      gatewayv1.ParentReference
	accepted condition.Diagnosis
	// listeners are the listeners that the route is attached to.
	listeners []*gateway.Listener
}

// candidate is a parent with its listeners to which the route may be attached.
type candidate struct {
	key unit.Key
	to  *gateway.Served
	ref gatewayv1.ParentReference
	at  field.Path
	// named are the listeners that the reference selects, allowing those of them that allow the
	// route, and matching those that have hosts in common with it.
	named, allowing []*gateway.Listener
	matching        []match
}

// match is a listener, and the hosts that it has in common with the route.
type match struct {
	*gateway.Listener
	hosts []route.Host
}

func (p parent) programmed() condition.Diagnosis {
	if !slices.ContainsFunc(p.listeners, func(l *gateway.Listener) bool { return l.Serves }) {
		return routeWithoutListener()
	}
	return routeProgrammed()
}

// attach attaches the route to all parents that belong to this controller.
func (a *attachment) attach(refs []gatewayv1.ParentReference) {
	var candidates []candidate
	for i, ref := range refs {
		key := unit.Kind(ptr.Deref(ref.Kind, "Gateway")).Key(string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(a.namespace))), string(ref.Name))
		role, ok := gateway.Roles[key.Kind]
		if !ok || string(ptr.Deref(ref.Group, gatewayv1.GroupName)) != key.Kind.Group() {
			continue
		}
		if to := unit.Use(a.reader, role.Of(key.Namespace, key.Name)); to != nil {
			c := candidate{key: key, to: to, ref: ref, at: field.Spec.Child("parentRefs").Index(i)}
			a.find(&c)
			candidates = append(candidates, c)
		}
	}
	a.full = !a.reader.Attachable(a.listeners)
	for _, c := range candidates {
		accepted, listeners := a.attachTo(c)
		a.parents = append(a.parents, parent{c.ref, accepted, listeners})
	}
	slices.SortFunc(a.bindings, func(x, y binding) int {
		return cmp.Or(cmp.Compare(x.host, y.host), slices.Compare(x.not, y.not), cmp.Compare(x.kongPort, y.kongPort))
	})
}

// find sets the listeners of a candidate.
func (a *attachment) find(c *candidate) {
	for i := range c.to.Listeners {
		l := &c.to.Listeners[i]
		if ptr.Deref(c.ref.SectionName, gatewayv1.SectionName(l.Name)) == gatewayv1.SectionName(l.Name) && ptr.Deref(c.ref.Port, l.Port) == l.Port {
			c.named = append(c.named, l)
		}
	}
	for _, l := range c.named {
		if slices.Contains(l.Kinds, a.kind) && l.Routes.Allow(a.reader, a.namespace) {
			c.allowing = append(c.allowing, l)
		}
	}
	for _, l := range c.allowing {
		hosts := a.hosts(*l)
		if len(hosts) > 0 && a.listeners >= limit.RouteListeners {
			a.excess++
		} else if hosts = a.withinLimit(hosts); len(hosts) > 0 {
			a.listeners++
			c.matching = append(c.matching, match{l, hosts})
		}
	}
}

// attachTo attaches the route to the listeners of one parent, and returns them.
func (a *attachment) attachTo(c candidate) (condition.Diagnosis, []*gateway.Listener) {
	var attached []*gateway.Listener
	var conflicts []condition.Cause
	if !a.full {
		attached, conflicts = a.attachToMatching(c)
	}
	if why, refused := a.refusal(c, len(attached), conflicts); refused {
		return why, nil
	}
	a.conflicts = append(a.conflicts, conflicts...)
	if !slices.Contains(a.gateways, c.to.Gateway) {
		a.gateways = append(a.gateways, c.to.Gateway)
	}
	for _, l := range attached {
		a.sections = append(a.sections, unit.Section{Object: c.key, Name: l.Name})
	}
	return routeAccepted(), attached
}

// attachToMatching attaches the route to the matching listeners of a candidate, and returns them. At
// some, routes of another kind take precedence.
func (a *attachment) attachToMatching(c candidate) (attached []*gateway.Listener, conflicts []condition.Cause) {
	for _, m := range c.matching {
		if why := a.hostnameConflict(c.key, *m.Listener, m.hosts); why != "" {
			conflicts = append(conflicts, condition.Cause{Message: why, Fault: unit.At(c.at)})
			continue
		}
		attached = append(attached, m.Listener)
		for _, host := range m.hosts {
			a.bind(host, *m.Listener, c.to.Gateway, c.key.Namespace)
		}
	}
	return attached, conflicts
}

// refusal returns why a parent does not accept the route; it is false if the parent does.
func (a *attachment) refusal(c candidate, attached int, conflicts []condition.Cause) (condition.Diagnosis, bool) {
	switch {
	case c.to.Detached != "":
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s is not attached: %s", c.key, c.to.Detached)).At(c.at), true
	case len(c.named) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s has no listener with this sectionName or port", c.key)).At(wrongSection(c.ref, c.at)), true
	case len(c.allowing) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNotAllowedByListeners,
			fmt.Sprintf("no listener of %s allows %s of namespace %s", c.key, unit.Kind(a.kind).WithArticle(), a.namespace)).With(a.disallowed(c.named, c.at)), true
	case len(c.matching) > 0 && a.full:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the setting %s allows the routes of namespace %s %d attachments to listeners, and older routes take precedence; there is no room for the %d of this route",
				limit.Attachments, a.namespace, a.reader.Limits().Attachments, a.listeners)).At(c.at), true
	case len(c.matching) == 0 && a.listeners >= limit.RouteListeners:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the route is attached to %d listeners of other parents, and a route may have no more", limit.RouteListeners)).At(c.at), true
	case attached == 0 && len(conflicts) > 0:
		return routeNotAccepted(reasonHostnameConflict, messagesOf(conflicts)).At(c.at), true
	case attached == 0 && a.labels >= limit.HostLabels:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the hosts of the route at other listeners have %d labels in total, and a route may have no more", limit.HostLabels)).At(field.Spec.Child("hostnames")), true
	case attached == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingListenerHostname,
			fmt.Sprintf("no host name of the route intersects the hostname of a listener of %s", c.key)).At(field.Spec.Child("hostnames")), true
	}
	return condition.Diagnosis{}, false
}

// wrongSection returns the part of a reference that matches no listener of the parent.
func wrongSection(ref gatewayv1.ParentReference, at field.Path) field.Path {
	switch {
	case ref.SectionName != nil:
		return at.Child("sectionName")
	case ref.Port != nil:
		return at.Child("port")
	}
	return at
}

// disallowed returns the fault of a reference to listeners that do not allow the route.
func (a *attachment) disallowed(all []*gateway.Listener, at field.Path) unit.Fault {
	for _, l := range all {
		if missing := l.Routes.Missing(a.reader, a.namespace); slices.Contains(l.Kinds, a.kind) && missing != (unit.Key{}) {
			return unit.Lacking(at, missing)
		}
	}
	return unit.At(at)
}

// hosts returns the hosts that the route and a listener have in common.
func (a *attachment) hosts(l gateway.Listener) []route.Host {
	if len(a.hostnames) == 0 {
		return []route.Host{l.Host}
	}
	var hosts []route.Host
	for _, h := range a.hostnames {
		name := hostname.Of(&h)
		if host, ok := hostname.Intersection(l.Host, name); ok && hostname.Valid(name) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// withinLimit returns the first hosts of a listener, until the route reaches the limit of labels at
// all listeners. Each label is one more host that can conflict with the route.
func (a *attachment) withinLimit(hosts []route.Host) []route.Host {
	for i, host := range hosts {
		if a.labels >= limit.HostLabels {
			a.omitted += len(hosts) - i
			return hosts[:i]
		}
		a.labels += 2 + strings.Count(string(host), ".")
	}
	return hosts
}
