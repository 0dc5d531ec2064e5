package gatewayapi

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// attachment is what a route's parents make of it.
type attachment struct {
	reader    *unit.Reader
	kind      string // the route's
	namespace string
	hostnames []gatewayv1.Hostname

	parents  []parent
	sections []unit.Section
	bindings []binding
}

// parent is one of our Gateways that the route wants to be attached to.
type parent struct {
	ref      gatewayv1.ParentReference
	accepted metav1.Condition
}

// binding is a host that the route is served for.
type binding struct {
	host route.Host
	// not are hosts of narrower listeners, whose requests are theirs alone.
	not []route.Host
	// schemes are in order; there are several for requests alone.
	schemes []string
	// port is that of the listeners, which may have several if kongPort is 0.
	port, kongPort int32
}

// attach finds the listeners for all parents that are ours.
func (a *attachment) attach(refs []gatewayv1.ParentReference) {
	for _, ref := range refs {
		if value(ref.Group, gatewayv1.GroupName) != gatewayv1.GroupName || value(ref.Kind, "Gateway") != "Gateway" {
			continue
		}
		key := unit.Key{Kind: unit.Gateway, Name: string(ref.Name),
			Namespace: string(value(ref.Namespace, gatewayv1.Namespace(a.namespace)))}
		gateway, ours := a.reader.Use(unit.ID{Role: gatewayRole, Namespace: key.Namespace, Name: key.Name}).(served)
		if !ours {
			continue
		}
		a.parents = append(a.parents, parent{ref: ref, accepted: a.attachTo(key, gateway.listeners, ref)})
	}
	slices.SortFunc(a.bindings, func(x, y binding) int {
		return cmp.Or(cmp.Compare(x.host, y.host), slices.Compare(x.not, y.not), cmp.Compare(x.kongPort, y.kongPort))
	})
}

// attachTo attaches the route to the listeners of one Gateway that it names and that
// allow it.
func (a *attachment) attachTo(gateway unit.Key, all []listener, ref gatewayv1.ParentReference) metav1.Condition {
	var named, allowing, attached []listener
	for _, l := range all {
		if value(ref.SectionName, gatewayv1.SectionName(l.Name)) == gatewayv1.SectionName(l.Name) && value(ref.Port, l.Port) == l.Port {
			named = append(named, l)
		}
	}
	for _, l := range named {
		if slices.Contains(l.Kinds, a.kind) && a.allowed(gateway, l) {
			allowing = append(allowing, l)
		}
	}
	for _, l := range allowing {
		if hosts := a.hosts(l); len(hosts) > 0 {
			attached = append(attached, l)
			for _, host := range hosts {
				a.bind(host, l, all)
			}
		}
	}
	switch {
	case len(named) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingParent, fmt.Sprintf("%s has no such listener", gateway))
	case len(allowing) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNotAllowedByListeners,
			fmt.Sprintf("no listener of %s takes %s of namespace %s", gateway, some(a.kind), a.namespace))
	case len(attached) == 0:
		return routeNotAccepted(gatewayv1.RouteReasonNoMatchingListenerHostname,
			fmt.Sprintf("no host name of the route is one of a listener of %s", gateway))
	}
	for _, l := range attached {
		if section := (unit.Section{Object: gateway, Name: l.Name}); !slices.Contains(a.sections, section) {
			a.sections = append(a.sections, section)
		}
	}
	return routeAccepted()
}

// allowed tells whether a listener takes routes of the route's namespace.
func (a *attachment) allowed(gateway unit.Key, l listener) bool {
	switch l.From {
	case gatewayv1.NamespacesFromAll:
		return true
	case gatewayv1.NamespacesFromSame:
		return gateway.Namespace == a.namespace
	case gatewayv1.NamespacesFromSelector:
		selector, err := metav1.LabelSelectorAsSelector(l.Selector)
		if err != nil {
			return false
		}
		namespace, ok := unit.Get[*corev1.Namespace](a.reader, unit.Key{Kind: unit.Namespace, Name: a.namespace})
		return ok && selector.Matches(labels.Set(namespace.Labels))
	}
	return false
}

// hosts are those that the route and a listener have in common.
func (a *attachment) hosts(l listener) []route.Host {
	if len(a.hostnames) == 0 {
		return []route.Host{l.Host}
	}
	var hosts []route.Host
	for _, hostname := range a.hostnames {
		if host, ok := intersect(l.Host, route.Host(strings.ToLower(string(hostname)))); ok {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// bind serves a host through a listener, but for what a narrower listener of the same
// Gateway and port is there for.
func (a *attachment) bind(host route.Host, l listener, all []listener) {
	if !l.Serves {
		return
	}
	var not []route.Host
	for _, other := range all {
		narrower := other.Host != l.Host && covers(l.Host, other.Host)
		if !other.Serves || other.Port != l.Port || !narrower {
			continue
		}
		if covers(other.Host, host) {
			return
		}
		if covers(host, other.Host) && !slices.Contains(not, other.Host) {
			not = append(not, other.Host)
		}
	}
	slices.Sort(not)
	for i := range a.bindings {
		if b := &a.bindings[i]; b.host == host && slices.Equal(b.not, not) && b.kongPort == l.KongPort && together(b.schemes, l.Scheme) {
			if !slices.Contains(b.schemes, l.Scheme) {
				b.schemes = append(b.schemes, l.Scheme)
				slices.Sort(b.schemes)
			}
			return
		}
	}
	a.bindings = append(a.bindings, binding{host: host, not: not, schemes: []string{l.Scheme}, port: l.Port, kongPort: l.KongPort})
}
