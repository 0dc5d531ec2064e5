package gatewayapi

import (
	"fmt"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// misdirected has requests refused that come over a connection for another listener: a
// browser with a connection for one name sends requests for others over it if the certificate
// has them, too. With 421 it is told to make one of their own. Which listener a connection is
// for is said by the name that the client asked for over TLS; if it asked for none, all that
// comes is served.
//
// Where Gateways share Kong's ports, a listener for all hosts has those that are nobody
// else's: it is not for its Gateway to say which these are.
func (t *gatewayTranslation) misdirected(all []assessment) {
	hosts := map[int32]int{}
	for _, a := range all {
		if detects(a) {
			hosts[a.spec.Port]++
		}
	}
	for _, a := range all {
		if host := hostOf(a.spec.Hostname); detects(a) && hosts[a.spec.Port] > 1 && (host != "" || a.kongPort != 0) {
			t.refuseMisdirected(a, host)
		}
	}
}

// detects tells the listeners for which connections can be.
func detects(a assessment) bool {
	return a.spec.Protocol == gatewayv1.HTTPSProtocolType && isTrue(a.programmed)
}

func (t *gatewayTranslation) refuseMisdirected(a assessment, host route.Host) {
	r := route.Route{
		Name: fmt.Sprintf("gateway.%s.%s.%d.misdirected.%s", t.key.Namespace, t.key.Name, a.spec.Port, nameOf(host)) + name.Suffix(t.reader, t.key),
		Match: route.Match{Misdirected: true, Host: host, Deep: true, NotHosts: a.narrower, Port: int(a.kongPort), Scheme: "https",
			Path: everything.Path},
		Protocols: []string{"https"}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{{Name: "request-termination", Config: []byte(`{"status_code":421,"message":"this connection is for another host"}`)}},
		Tags:    kong.Tags(t.gateway, gatewayv1.SchemeGroupVersion.WithKind("Gateway")),
	}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil { // there are more hosts than the router can be told of
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, "MisdirectedRequestsServed",
			fmt.Sprintf("requests over connections for other listeners of port %d are served: %v", a.spec.Port, err)))
		return
	}
	t.fragment.Entities = append(t.fragment.Entities, entities...)
}
