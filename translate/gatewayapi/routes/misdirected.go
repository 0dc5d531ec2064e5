package routes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// connections returns the server names of connections for a listener to which the route is
// attached. It is false if requests are served over all connections, or the Gateway refuses
// them itself. Where Gateways share ports, a listener for all hosts has those that belong to no
// other, and its Gateway does not determine which these are.
func (a *attachment) connections(gw unit.Key, l gateway.Listener, of string) (names route.ServerNames, ok bool) {
	if l.Scheme != "https" || l.Host == "" || l.KongPort != 0 && (!a.age.isolated || of == gw.Namespace) {
		return names, false
	}
	listeners := 0
	for namespace, n := range gateway.SecureListeners(a.reader, gw, l.Port) {
		if a.servesFrom(gw, namespace) {
			listeners += n
		}
	}
	if listeners < 2 {
		return names, false
	}
	return route.ServerNames{Host: l.Host, Not: a.othersWithin(gw, l, l.Host)}, true
}

// secured notes that the route is served for the host through a listener of a Gateway, and the
// connections for that.
func (b *binding) secured(a *attachment, l gateway.Listener, gw unit.Key, of string) {
	if l.Scheme != "https" {
		return
	}
	if !slices.Contains(b.gateways, gw) {
		b.gateways = append(b.gateways, gw)
	}
	names, ok := a.connections(gw, l, of)
	switch {
	case !ok:
		b.anyConnection = true
	case !slices.ContainsFunc(b.connections, func(n route.ServerNames) bool { return n.Host == names.Host && slices.Equal(n.Not, names.Not) }):
		b.connections = append(b.connections, names)
	}
}

// misdirections are the refusals of misdirected requests, by Kong's port and the host.
const misdirections unit.Family[hostAt] = "misdirection"

type hostAt struct {
	kongPort int32
	host     route.Host
}

// refuseMisdirected refuses requests for a host of the route that come over connections for
// other listeners, as long as the namespace has the host: requests that another namespace serves
// are not concerned.
func (t *requestTranslation) refuseMisdirected(b binding) {
	if b.anyConnection || len(b.connections) == 0 {
		return
	}
	port := ""
	if b.kongPort != 0 {
		port = fmt.Sprintf(".%d", b.kongPort)
	}
	r := route.Route{
		Name: fmt.Sprintf("%s.%s.%s.misdirected.%s", strings.ToLower(t.dialect.Kind.Kind), t.key.Namespace, t.key.Name, hostname.InName(b.host)) + port + t.suffix,
		Match: route.Match{Connections: b.connections, Host: b.host, Deep: true, NotHosts: b.not, Port: int(b.kongPort), Scheme: "https",
			Path: route.AnyPath},
		Protocols: []string{"https"}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{gateway.Misdirected}, Tags: kong.Tags(t.object, t.dialect.Kind, t.userTags...),
	}
	where := kong.Part{Name: "connections for other hosts than " + string(b.host), Path: field.Spec.Child("hostnames")}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil {
		t.warn(unit.At(where.Path), "MisdirectedRequestsServed", "%s: requests over them are served: %v", where, err)
		return
	}
	if !t.allowance.Take(entities, where) {
		return
	}
	t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
		Slot: misdirections.Slot(hostAt{b.kongPort, b.host}), Object: t.key, Since: t.object.GetCreationTimestamp().Time,
		Entities: entities, Same: t.key.Namespace, Under: t.hosts.Owner(&t.fragment, b.host, field.Spec.Child("hostnames")),
	})
}

// certify lets the certificates of Gateways be served for a host of the route, also if they are
// of other namespaces: where namespaces are isolated, no other namespace than that of the routes
// for a host determines its certificate.
func (t *requestTranslation) certify(b binding) {
	if !t.options.Isolated || b.host == "" {
		return
	}
	for _, gw := range b.gateways {
		c, ok := gateway.CertificateFor(t.reader, gw, string(b.host))
		if !ok {
			continue
		}
		t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
			Slot: unit.ServerNames.Slot(string(b.host)), Object: t.key, Since: c.Since, Same: c.Fingerprint,
			Entities: []*kong.Entity{kong.SNI(string(b.host), c.ID)}, Under: t.hosts.Owner(&t.fragment, b.host, field.Spec.Child("hostnames")),
		})
	}
}
