package gateway

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// misdirected refuses requests that arrive over a connection for another listener, on Gateways with
// ports of their own. A browser reuses a connection for every host that the certificate names, and
// status 421 makes it open another. The server name (SNI) determines the listener of a connection.
// Over a connection without a server name, all requests are served.
//
// If namespaces are isolated, this covers the listeners of the Gateway's own namespace. Package routes
// covers other namespaces' listeners, and Gateways that share ports.
func (t *translation) misdirected(all []assessment) {
	own := map[route.Host]bool{}
	listeners := map[int32]int{}
	for _, a := range all {
		if t.refuses(a) {
			listeners[a.spec.Port]++
			own[hostname.Of(a.spec.Hostname)] = true
		}
	}
	for _, a := range all {
		if host := hostname.Of(a.spec.Hostname); t.refuses(a) && listeners[a.spec.Port] > 1 {
			if t.isolated {
				a.moreSpecific = slices.DeleteFunc(slices.Clone(a.moreSpecific), func(other route.Host) bool { return !own[other] })
			}
			if host != "" || len(a.moreSpecific) > 0 {
				t.refuseMisdirected(a, host)
			}
		}
	}
}

// fieldOf returns the field path of a listener in the Gateway. For a listener of a ListenerSet, it
// returns the path of all the Gateway's listeners.
func (t *translation) fieldOf(a assessment) field.Path {
	if a.of == t.key {
		return a.path
	}
	return field.Spec.Child("listeners")
}

// refuses reports whether a listener takes part in refusing misdirected requests.
func (t *translation) refuses(a assessment) bool {
	return a.spec.Protocol == gatewayv1.HTTPSProtocolType && condition.IsTrue(a.programmed) && (!t.isolated || a.of.Namespace == t.key.Namespace)
}

func (t *translation) refuseMisdirected(a assessment, host route.Host) {
	r := route.Route{
		Name: fmt.Sprintf("gateway.%s.%s.%d.misdirected.%s", t.key.Namespace, t.key.Name, a.spec.Port, hostname.InName(host)) + name.Suffix(t.reader, t.key),
		Match: route.Match{Connections: []route.ServerNames{{Host: host, Not: a.moreSpecific}}, Foremost: true, Host: host, Deep: true, NotHosts: a.moreSpecific, Port: int(a.kongPort), Scheme: "https",
			Path: route.AnyPath},
		Protocols: []string{"https"}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{Misdirected},
		Tags:    kong.Tags(t.gateway, gatewayv1.SchemeGroupVersion.WithKind("Gateway")),
	}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil { // more hosts than one route in Kong can exclude
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, condition.ReasonMisdirectedRequestsServed,
			fmt.Sprintf("requests over connections for other listeners of port %d are served: %v", a.spec.Port, err)).At(t.fieldOf(a)))
		return
	}
	t.fragment.Entities = append(t.fragment.Entities, entities...)
}

// Misdirected is the plugin that answers misdirected requests.
var Misdirected = route.Plugin{Name: "request-termination", Config: []byte(`{"status_code":421,"message":"this connection is for another host"}`)}
