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

// attachment is what a route's parents make of it.
type attachment struct {
	reader    *unit.Reader
	kind      string // the route's
	namespace string
	age       age
	hostnames []gatewayv1.Hostname

	parents []parent
	// sections are the listeners to which the route is attached; some may be there several times.
	sections []unit.Section
	bindings []binding
	// byHost are the places of the bindings for a host.
	byHost map[route.Host][]int
	// gateways are those that the route is attached to, also by ListenerSets.
	gateways []unit.Key
	// places counts the listeners for which the route asks, and left those above what a route
	// may have. Full reports that the namespace has no room for the route's.
	places, left int
	full         bool
	// omitted counts the hosts at listeners that there was no room for, and labels those of the
	// hosts that there was room for.
	omitted, labels int
	// conflicts say at which listeners routes of another kind take precedence.
	conflicts []condition.Cause
	// ambiguous says where two Gateways share a port and differ in what they show.
	ambiguous []string
}

// parent is one of our Gateways or ListenerSets that the route wants to be attached to.
type parent struct {
	ref      gatewayv1.ParentReference
	accepted condition.Diagnosis
	// listeners are those that the route is attached to.
	listeners []*gateway.Listener
}

// candidate is a parent, and the listeners of it to which the route may be attached.
type candidate struct {
	key unit.Key
	to  *gateway.Served
	ref gatewayv1.ParentReference
	at  field.Path
	// named are the listeners that the reference names, and allowing those that take the route.
	named, allowing []*gateway.Listener
	places          []place
}

// place is a listener, and the hosts that it has in common with the route.
type place struct {
	*gateway.Listener
	hosts []route.Host
}

func (p parent) programmed() condition.Diagnosis {
	if !slices.ContainsFunc(p.listeners, func(l *gateway.Listener) bool { return l.Serves }) {
		return routeWithoutListener()
	}
	return routeProgrammed()
}

// attach finds the listeners for all parents that are ours.
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
	a.full = !a.reader.Attachable(a.places)
	for _, c := range candidates {
		accepted, listeners := a.attachTo(c)
		a.parents = append(a.parents, parent{c.ref, accepted, listeners})
	}
	slices.SortFunc(a.bindings, func(x, y binding) int {
		return cmp.Or(cmp.Compare(x.host, y.host), slices.Compare(x.not, y.not), cmp.Compare(x.kongPort, y.kongPort))
	})
}

// find finds the listeners of a parent that the route names, that allow it, and that have hosts in
// common with it.
func (a *attachment) find(c *candidate) {
	for i := range c.to.Listeners {
		l := &c.to.Listeners[i]
		if ptr.Deref(c.ref.SectionName, gatewayv1.SectionName(l.Name)) == gatewayv1.SectionName(l.Name) && ptr.Deref(c.ref.Port, l.Port) == l.Port {
			c.named = append(c.named, l)
		}
	}
	for _, l := range c.named {
		if slices.Contains(l.Kinds, a.kind) && gateway.NamespaceAllowed(a.reader, a.namespace, l.From, l.Selector, c.key.Namespace) {
			c.allowing = append(c.allowing, l)
		}
	}
	for _, l := range c.allowing {
		hosts := a.hosts(*l)
		if len(hosts) > 0 && a.places >= limit.RouteListeners {
			a.left++
		} else if hosts = a.affordable(hosts); len(hosts) > 0 {
			a.places++
			c.places = append(c.places, place{l, hosts})
		}
	}
}

// attachTo attaches the route to the listeners of one parent, and returns them.
func (a *attachment) attachTo(c candidate) (condition.Diagnosis, []*gateway.Listener) {
	var attached []*gateway.Listener
	var conflicts []condition.Cause
	if !a.full {
		attached, conflicts = a.attachToPlaces(c)
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

// attachToPlaces returns the listeners to which the route is attached, and why it is not to others.
func (a *attachment) attachToPlaces(c candidate) (attached []*gateway.Listener, conflicts []condition.Cause) {
	for _, p := range c.places {
		if why := a.crossServed(c.key, *p.Listener, p.hosts); why != "" {
			conflicts = append(conflicts, condition.Cause{Message: why, Fault: unit.At(c.at)})
			continue
		}
		attached = append(attached, p.Listener)
		for _, host := range p.hosts {
			a.bind(host, *p.Listener, c.to.Gateway, c.key.Namespace)
		}
	}
	return attached, conflicts
}

// refusal returns why a parent does not accept the route, if it does not.
func (a *attachment) refusal(c candidate, attached int, conflicts []condition.Cause) (condition.Diagnosis, bool) {
	switch {
	case c.to.Detached != "":
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s is not attached: %s", c.key, c.to.Detached)).At(c.at), true
	case len(c.named) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s has no such listener", c.key)).At(wrongSection(c.ref, c.at)), true
	case len(c.allowing) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNotAllowedByListeners,
			fmt.Sprintf("no listener of %s takes %s of namespace %s", c.key, unit.Kind(a.kind).WithArticle(), a.namespace)).With(a.disallowed(c.named, c.at)), true
	case len(c.places) > 0 && a.full:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the setting %s allows the routes of namespace %s %d listeners, and all of them ask for more; the oldest come first, and this one is not attached to its %d",
				limit.Attachments, a.namespace, a.reader.Limits().Attachments, a.places)).At(c.at), true
	case len(c.places) == 0 && a.places >= limit.RouteListeners:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("other parents have %d listeners for the route, which are as many as a route may have", limit.RouteListeners)).At(c.at), true
	case attached == 0 && len(conflicts) > 0:
		return routeNotAccepted(reasonHostnameConflict, messagesOf(conflicts)).At(c.at), true
	case attached == 0 && a.labels >= limit.HostLabels:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the hosts of the route at other listeners have %d labels in all, and there is no room for more", limit.HostLabels)).At(field.Spec.Child("hostnames")), true
	case attached == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingListenerHostname,
			fmt.Sprintf("no host name of the route is one of a listener of %s", c.key)).At(field.Spec.Child("hostnames")), true
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

// disallowed returns the fault of a reference to listeners of which none takes the route.
func (a *attachment) disallowed(all []*gateway.Listener, at field.Path) unit.Fault {
	for _, l := range all {
		if missing := gateway.MissingNamespace(a.reader, a.namespace, l.From); slices.Contains(l.Kinds, a.kind) && missing != (unit.Key{}) {
			return unit.Lacking(at, missing)
		}
	}
	return unit.At(at)
}

// hosts are those that the route and a listener have in common.
func (a *attachment) hosts(l gateway.Listener) []route.Host {
	if len(a.hostnames) == 0 {
		return []route.Host{l.Host}
	}
	var hosts []route.Host
	for _, asked := range a.hostnames {
		name := hostname.Of(&asked)
		if host, ok := hostname.Intersection(l.Host, name); ok && hostname.Valid(name) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// affordable returns the first hosts of a listener, as many as the route may have labels at all
// listeners together: each label is one more host that may be in the way of the route.
func (a *attachment) affordable(hosts []route.Host) []route.Host {
	for i, host := range hosts {
		if a.labels >= limit.HostLabels {
			a.omitted += len(hosts) - i
			return hosts[:i]
		}
		a.labels += 2 + strings.Count(string(host), ".")
	}
	return hosts
}
