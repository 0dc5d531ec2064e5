package gatewayapi

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
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
	// crossed says at which listeners routes of another kind take precedence.
	crossed []cause
	// ambiguous says where two Gateways share a port and differ in what they show.
	ambiguous []string
}

// parent is one of our Gateways or ListenerSets that the route wants to be attached to.
type parent struct {
	ref      gatewayv1.ParentReference
	accepted diagnosis
	// listeners are those that the route is attached to.
	listeners []*listener
}

// candidate is a parent, and the listeners of it to which the route may be attached.
type candidate struct {
	key unit.Key
	to  *served
	ref gatewayv1.ParentReference
	at  field.Path
	// named are the listeners that the reference names, and allowing those that take the route.
	named, allowing []*listener
	places          []place
}

// place is a listener, and the hosts that it has in common with the route.
type place struct {
	*listener
	hosts []route.Host
}

func (p parent) programmed() diagnosis {
	if !slices.ContainsFunc(p.listeners, func(l *listener) bool { return l.Serves }) {
		return routeWithoutListener()
	}
	return routeProgrammed()
}

// parentRoles are the units of what routes are attached to.
var parentRoles = map[unit.Kind]unit.Role[*served]{
	unit.Gateway: gatewayRole, unit.ListenerSet: listenerSetRole, unit.XListenerSet: xListenerSetRole}

// binding is a host that the route is served for.
type binding struct {
	host route.Host
	// not are hosts of narrower listeners, whose requests are theirs alone.
	not []route.Host
	// schemes are in order; there are several for requests alone.
	schemes []string
	// port is that of the listeners, which may have several if kongPort is 0.
	port, kongPort int32
	// reached are the ports of listeners by scheme, where kongPort is 0.
	reached map[string][]int32
	// shown is the Secret with the key pair for backends over TLS; empty for none.
	shown types.NamespacedName
	// validated lets only clients by that have a good certificate.
	validated bool
	// gateways are those with listeners for HTTPS among the binding's, and connections those for
	// these listeners. If anyConnection is set, requests are served over others too.
	gateways      []unit.Key
	connections   []route.ServerNames
	anyConnection bool
}

func (b binding) shows() bool { return b.shown.Name != "" }

// attach finds the listeners for all parents that are ours.
func (a *attachment) attach(refs []gatewayv1.ParentReference) {
	var candidates []candidate
	for i, ref := range refs {
		key := unit.Kind(value(ref.Kind, "Gateway")).Key(string(value(ref.Namespace, gatewayv1.Namespace(a.namespace))), string(ref.Name))
		role, ok := parentRoles[key.Kind]
		if !ok || string(value(ref.Group, gatewayv1.GroupName)) != key.Kind.Group() {
			continue
		}
		if to := unit.Use(a.reader, role.Of(key.Namespace, key.Name)); to != nil {
			c := candidate{key: key, to: to, ref: ref, at: spec.Child("parentRefs").Index(i)}
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
	for i := range c.to.listeners {
		l := &c.to.listeners[i]
		if value(c.ref.SectionName, gatewayv1.SectionName(l.Name)) == gatewayv1.SectionName(l.Name) && value(c.ref.Port, l.Port) == l.Port {
			c.named = append(c.named, l)
		}
	}
	for _, l := range c.named {
		if slices.Contains(l.Kinds, a.kind) && within(a.reader, a.namespace, l.From, l.Selector, c.key.Namespace) {
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
func (a *attachment) attachTo(c candidate) (diagnosis, []*listener) {
	key, to, at := c.key, c.to, c.at
	var attached []*listener
	var crossed []cause
	for _, p := range c.places {
		if a.full {
			break
		}
		if why := a.crossServed(key, *p.listener, p.hosts); why != "" {
			crossed = append(crossed, cause{why, unit.At(at)})
			continue
		}
		attached = append(attached, p.listener)
		for _, host := range p.hosts {
			a.bind(host, *p.listener, to.gateway, key.Namespace)
		}
	}
	switch {
	case to.detached != "":
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s is not attached: %s", key, to.detached)).at(at), nil
	case len(c.named) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s has no such listener", key)).at(wrongSection(c.ref, at)), nil
	case len(c.allowing) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNotAllowedByListeners,
			fmt.Sprintf("no listener of %s takes %s of namespace %s", key, some(a.kind), a.namespace)).with(a.disallowed(c.named, at)), nil
	case len(c.places) > 0 && a.full:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the setting %s allows the routes of namespace %s %d listeners, and all of them ask for more; the oldest come first, and this one is not attached to its %d",
				limit.Attachments, a.namespace, a.reader.Limits().Attachments, a.places)).at(at), nil
	case len(c.places) == 0 && a.places >= limit.RouteListeners:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("other parents have %d listeners for the route, which are as many as a route may have", limit.RouteListeners)).at(at), nil
	case len(attached) == 0 && len(crossed) > 0:
		return routeNotAccepted(reasonHostnameConflict, messagesOf(crossed)).at(at), nil
	case len(attached) == 0 && a.labels >= limit.HostLabels:
		return routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("the hosts of the route at other listeners have %d labels in all, and there is no room for more", limit.HostLabels)).at(spec.Child("hostnames")), nil
	case len(attached) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingListenerHostname,
			fmt.Sprintf("no host name of the route is one of a listener of %s", key)).at(spec.Child("hostnames")), nil
	}
	a.crossed = append(a.crossed, crossed...)
	if !slices.Contains(a.gateways, to.gateway) {
		a.gateways = append(a.gateways, to.gateway)
	}
	for _, l := range attached {
		a.sections = append(a.sections, unit.Section{Object: key, Name: l.Name})
	}
	return routeAccepted(), attached
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
func (a *attachment) disallowed(all []*listener, at field.Path) unit.Fault {
	for _, l := range all {
		if missing := unlabelled(a.reader, a.namespace, l.From); slices.Contains(l.Kinds, a.kind) && missing != (unit.Key{}) {
			return unit.Lacking(at, missing)
		}
	}
	return unit.At(at)
}

// hosts are those that the route and a listener have in common.
func (a *attachment) hosts(l listener) []route.Host {
	if len(a.hostnames) == 0 {
		return []route.Host{l.Host}
	}
	var hosts []route.Host
	for _, hostname := range a.hostnames {
		name := route.Host(strings.ToLower(string(hostname)))
		if host, ok := intersect(l.Host, name); ok && isHost(name) {
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

// bind serves a host through a listener of a Gateway, which an object of a namespace adds to it,
// but for what a narrower listener is there for.
func (a *attachment) bind(host route.Host, l listener, gateway unit.Key, of string) {
	if !l.Serves {
		return
	}
	not, some := a.narrower(gateway, l, host)
	if !some {
		return
	}
	for _, i := range a.byHost[host] {
		if b := &a.bindings[i]; slices.Equal(b.not, not) && b.kongPort == l.KongPort && together(b.schemes, l.Scheme) {
			if b.shown != l.Shown {
				a.ambiguous = append(a.ambiguous, fmt.Sprintf("two Gateways have the host %q at one port of Kong's, and different certificates for backends; they are shown %s", host, orNone(b.shown)))
			}
			if !slices.Contains(b.schemes, l.Scheme) {
				b.schemes = append(b.schemes, l.Scheme)
				slices.Sort(b.schemes)
			}
			b.reach(l)
			b.secured(a, l, gateway, of)
			return
		}
	}
	if len(a.bindings) >= limit.Hosts {
		a.omitted++
		return
	}
	if a.byHost == nil {
		a.byHost = map[route.Host][]int{}
	}
	a.byHost[host] = append(a.byHost[host], len(a.bindings))
	b := binding{host: host, not: not, schemes: []string{l.Scheme}, port: l.Port, kongPort: l.KongPort, shown: l.Shown,
		validated: l.Validated}
	b.reach(l)
	b.secured(a, l, gateway, of)
	a.bindings = append(a.bindings, b)
}

// reach notes the port of a listener that shares Kong's port with others.
func (b *binding) reach(l listener) {
	if b.kongPort != 0 || slices.Contains(b.reached[l.Scheme], l.Port) {
		return
	}
	if b.reached == nil {
		b.reached = map[string][]int32{}
	}
	b.reached[l.Scheme] = append(b.reached[l.Scheme], l.Port)
	slices.Sort(b.reached[l.Scheme])
}
