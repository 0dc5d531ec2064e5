package gateway

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/route"
)

// answerUnmatched answers 404 to requests at a listener that match none of its routes. Otherwise they
// could match routes of other Gateways that are served at any port.
func (t *translation) answerUnmatched(a assessment) {
	if !isHTTP(a.spec.Protocol) || !condition.IsTrue(a.accepted) {
		return // Kong closes connections that match no route
	}
	r := route.Route{
		Name:      fmt.Sprintf("gateway.%s.%s.%d", t.key.Namespace, t.key.Name, a.spec.Port) + name.Suffix(t.reader, t.key),
		Match:     route.Match{Fallback: true, Port: int(a.kongPort), Path: route.AnyPath},
		Protocols: []string{schemes[a.spec.Protocol]}, BufferRequest: true, BufferResponse: true, HTTPSRedirectStatus: 426,
		Plugins: []route.Plugin{{Name: "request-termination",
			// With this body, gRPC clients see UNIMPLEMENTED.
			Config: []byte(`{"status_code":404,"content_type":"application/json; charset=utf-8","body":"{\"message\":\"no Route matched with those values\"}"}`)}},
		Tags: kong.Tags(t.gateway, gatewayv1.SchemeGroupVersion.WithKind("Gateway")),
	}
	entities, err := kong.Route(r, t.reader.Limits())
	if err != nil {
		panic(err) // not possible: the route has no user input
	}
	for _, e := range entities {
		if !slices.ContainsFunc(t.fragment.Entities, func(other *kong.Entity) bool { return other.Ref == e.Ref }) {
			t.fragment.Entities = append(t.fragment.Entities, e)
		}
	}
}
