package routes

import (
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// unimplementedRole is the role of the unit that answers gRPC requests which match no route. Kong's
// own answer means NOT_FOUND to clients, as if a method had returned it. With GRPCRoutes, it must be
// UNIMPLEMENTED.
const unimplementedRole unit.Role[unit.None] = "grpc-unimplemented"

func (Options) unimplemented(r *unit.Reader, _ unit.Key) (unit.Fragment, unit.None) {
	entities, err := kong.Route(route.Route{
		Name:      "grpcroute.unimplemented",
		Protocols: []string{"http", "https"},
		Match: route.Match{Untaken: true, Path: route.AnyPath,
			Headers: []route.Values{{Name: "content-type", Values: []string{"^application/grpc"}, Regex: true}}},
		// The answer is not in gRPC's format, so clients map its HTTP status: 404 to UNIMPLEMENTED.
		Plugins: []route.Plugin{{Name: "request-termination",
			Config: []byte(`{"status_code":404,"content_type":"text/plain","body":"no GRPCRoute takes this request"}`)}},
		HTTPSRedirectStatus: 426,
	}, r.Limits())
	if err != nil {
		panic(err) // not possible: the route has no user input
	}
	return unit.Fragment{Entities: entities}, unit.None{}
}
