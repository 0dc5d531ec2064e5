package routes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// connections returns the server names of the connections for a listener of a Gateway; the namespace
// is that of the object with the listener. It is false if requests are served over all connections,
// or if the Gateway's unit refuses misdirected requests. The former includes listeners for all hosts
// at shared ports: their connections depend on the listeners of all Gateways.
func (a *attachment) connections(gatewayKey unit.Key, l gateway.Listener, namespace string) (names route.ServerNames, ok bool) {
	if l.Scheme != "https" || l.Host == "" || l.KongPort != 0 && (!a.age.isolated || namespace == gatewayKey.Namespace) {
		return names, false
	}
	listeners := 0
	for namespace, n := range gateway.SecureListeners(a.reader, gatewayKey, l.Port) {
		if a.isServedBy(gatewayKey, namespace) {
			listeners += n
		}
	}
	if listeners < 2 {
		return names, false
	}
	return route.ServerNames{Host: l.Host, Not: a.othersWithin(gatewayKey, l, l.Host)}, true
}

// addConnections adds the Gateway and the connections of an HTTPS listener.
func (b *binding) addConnections(a *attachment, l gateway.Listener, gatewayKey unit.Key, namespace string) {
	if l.Scheme != "https" {
		return
	}
	if !slices.Contains(b.gateways, gatewayKey) {
		b.gateways = append(b.gateways, gatewayKey)
	}
	names, ok := a.connections(gatewayKey, l, namespace)
	switch {
	case !ok:
		b.anyConnection = true
	case !slices.ContainsFunc(b.connections, func(n route.ServerNames) bool { return n.Host == names.Host && slices.Equal(n.Not, names.Not) }):
		b.connections = append(b.connections, names)
	}
}

// misdirections are the claims to refuse misdirected requests, by Kong's port and host.
const misdirections unit.Family[hostAt] = "misdirection"

type hostAt struct {
	kongPort int32
	host     route.Host
}

// refuseMisdirected refuses requests for a host of the route over connections for other listeners,
// while the namespace owns the host: another namespace's requests are not affected.
func (t *requestTranslation) refuseMisdirected(b binding) {
	if b.anyConnection || len(b.connections) == 0 {
		return
	}
	port := ""
	if b.kongPort != 0 {
		port = fmt.Sprintf(".%d", b.kongPort)
	}
	r := route.Route{
		Name: fmt.Sprintf("%s.%s.%s.misdirected.%s", strings.ToLower(t.kind.Kind.Kind), t.key.Namespace, t.key.Name, hostname.InName(b.host)) + port + t.suffix,
		Match: route.Match{Connections: b.connections, Host: b.host, Deep: true, NotHosts: b.not, Port: int(b.kongPort), Scheme: "https",
			Path: route.AnyPath},
		Protocols: []string{"https"}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{gateway.Misdirected}, Tags: kong.Tags(t.object, t.kind.Kind, t.userTags...),
	}
	where := kong.Part{Name: "connections for other hosts than " + string(b.host), Path: field.Spec.Child("hostnames")}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil {
		t.warn(unit.At(where.Path), condition.ReasonMisdirectedRequestsServed, "%s: requests over these connections are served: %v", where, err)
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

// certify claims the server name of a host for the certificate of each Gateway, which may be of
// another namespace. It is needed if namespaces are isolated: only the owner of a host then
// determines its certificate.
func (t *requestTranslation) certify(b binding) {
	if !t.options.Isolated || b.host == "" {
		return
	}
	for _, gatewayKey := range b.gateways {
		c, ok := gateway.CertificateFor(t.reader, gatewayKey, string(b.host))
		if !ok {
			continue
		}
		t.fragment.Claims = append(t.fragment.Claims, unit.Claim{
			Slot: unit.ServerNames.Slot(string(b.host)), Object: t.key, Since: c.Since, Same: c.Fingerprint,
			Entities: []*kong.Entity{kong.SNI(string(b.host), c.ID)}, Under: t.hosts.Owner(&t.fragment, b.host, field.Spec.Child("hostnames")),
		})
	}
}
