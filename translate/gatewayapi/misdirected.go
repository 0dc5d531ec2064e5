package gatewayapi

import (
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// misdirected refuses requests that come over a connection for another listener of a Gateway
// with ports of its own: a browser with a connection for one name sends requests for others
// over it if the certificate has them, too. Status 421 makes it open another connection. The
// name that the client asked for over TLS determines which listener a connection is for; if
// it asked for none, all requests are served.
//
// Where namespaces are isolated these are the listeners of the Gateway's own namespace. For
// those of others, and where Gateways share ports, see [attachment.connections].
func (t *gatewayTranslation) misdirected(all []assessment) {
	own := map[route.Host]bool{}
	listeners := map[int32]int{}
	for _, a := range all {
		if t.refuses(a) {
			listeners[a.spec.Port]++
			own[hostOf(a.spec.Hostname)] = true
		}
	}
	for _, a := range all {
		if host := hostOf(a.spec.Hostname); t.refuses(a) && listeners[a.spec.Port] > 1 {
			if t.isolated {
				a.narrower = slices.DeleteFunc(slices.Clone(a.narrower), func(other route.Host) bool { return !own[other] })
			}
			if host != "" || len(a.narrower) > 0 {
				t.refuseMisdirected(a, host)
			}
		}
	}
}

// fieldOf is the path of a listener if the Gateway itself has it, and otherwise of those that do.
func (t *gatewayTranslation) fieldOf(a assessment) field.Path {
	if a.of == t.key {
		return a.path
	}
	return spec.Child("listeners")
}

// refuses reports whether a listener is one for which connections can be.
func (t *gatewayTranslation) refuses(a assessment) bool {
	return a.spec.Protocol == gatewayv1.HTTPSProtocolType && isTrue(a.programmed) && (!t.isolated || a.of.Namespace == t.key.Namespace)
}

func (t *gatewayTranslation) refuseMisdirected(a assessment, host route.Host) {
	r := route.Route{
		Name: fmt.Sprintf("gateway.%s.%s.%d.misdirected.%s", t.key.Namespace, t.key.Name, a.spec.Port, nameOf(host)) + name.Suffix(t.reader, t.key),
		Match: route.Match{Connections: []route.ServerNames{{Host: host, Not: a.narrower}}, Foremost: true, Host: host, Deep: true, NotHosts: a.narrower, Port: int(a.kongPort), Scheme: "https",
			Path: everything.Path},
		Protocols: []string{"https"}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{refusal},
		Tags:    kong.Tags(t.gateway, gatewayv1.SchemeGroupVersion.WithKind("Gateway")),
	}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil { // there are more hosts than the router can be told of
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, "MisdirectedRequestsServed",
			fmt.Sprintf("requests over connections for other listeners of port %d are served: %v", a.spec.Port, err)).At(t.fieldOf(a)))
		return
	}
	t.fragment.Entities = append(t.fragment.Entities, entities...)
}

// refusal answers misdirected requests.
var refusal = route.Plugin{Name: "request-termination", Config: []byte(`{"status_code":421,"message":"this connection is for another host"}`)}

// connections returns the server names of connections for a listener to which the route is
// attached. It is false if requests are served over all connections, or the Gateway refuses
// them itself. Where Gateways share ports, a listener for all hosts has those that belong to no
// other, and its Gateway does not determine which these are.
func (a *attachment) connections(gateway unit.Key, l listener, of string) (names route.ServerNames, ok bool) {
	if l.Scheme != "https" || l.Host == "" || l.KongPort != 0 && (!a.age.isolated || of == gateway.Namespace) {
		return names, false
	}
	listeners := 0
	byNamespace, _ := unit.UsePart(a.reader, mergedOf(gateway), securePart{port: l.Port})
	for namespace, n := range byNamespace {
		if a.heeds(gateway, namespace) {
			listeners += n
		}
	}
	if listeners < 2 {
		return names, false
	}
	return route.ServerNames{Host: l.Host, Not: a.othersWithin(gateway, l, l.Host)}, true
}

// secured notes that the route is served for the host through a listener of a Gateway, and the
// connections for that.
func (b *binding) secured(a *attachment, l listener, gateway unit.Key, of string) {
	if l.Scheme != "https" {
		return
	}
	if !slices.Contains(b.gateways, gateway) {
		b.gateways = append(b.gateways, gateway)
	}
	names, ok := a.connections(gateway, l, of)
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
		Name: fmt.Sprintf("%s.%s.%s.misdirected.%s", strings.ToLower(t.dialect.kind.Kind), t.key.Namespace, t.key.Name, nameOf(b.host)) + port + t.suffix,
		Match: route.Match{Connections: b.connections, Host: b.host, Deep: true, NotHosts: b.not, Port: int(b.kongPort), Scheme: "https",
			Path: everything.Path},
		Protocols: []string{"https"}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{refusal}, Tags: kong.Tags(t.object, t.dialect.kind, t.userTags...),
	}
	where := kong.Part{Name: "connections for other hosts than " + string(b.host), Path: spec.Child("hostnames")}
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
		Entities: entities, Same: t.key.Namespace, Under: t.hosts.Owner(&t.fragment, b.host, spec.Child("hostnames")),
	})
}

// certify lets the certificates of Gateways be served for a host of the route, also if they are
// of other namespaces: where namespaces are isolated, no other namespace than that of the routes
// for a host determines its certificate.
func (t *requestTranslation) certify(b binding) {
	if !t.options.Isolated || b.host == "" {
		return
	}
	for _, gateway := range b.gateways {
		c, ok := unit.UsePart(t.reader, mergedOf(gateway), certificatePart{name: string(b.host)})
		if !ok {
			continue
		}
		t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
			Slot: unit.ServerNames.Slot(string(b.host)), Object: t.key, Since: c.Since, Same: c.Fingerprint,
			Entities: []*kong.Entity{kong.SNI(string(b.host), c.ID)}, Under: t.hosts.Owner(&t.fragment, b.host, spec.Child("hostnames")),
		})
	}
}
