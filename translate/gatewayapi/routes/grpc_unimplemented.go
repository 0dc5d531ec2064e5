package routes

import (
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// unimplementedRole is of the unit that answers requests of gRPC which no route takes.
// By itself Kong says of them NOT_FOUND, which a client takes for the word of a method
// that it reached. Where there are GRPCRoutes it has to be UNIMPLEMENTED.
const unimplementedRole unit.Role[unit.None] = "grpc-unimplemented"

func (Options) unimplemented(r *unit.Reader, _ unit.Key) (unit.Fragment, unit.None) {
	entities, err := kong.Route(route.Route{
		Name:      "grpcroute.unimplemented",
		Protocols: []string{"http", "https"},
		Match: route.Match{Untaken: true, Path: route.AnyPath,
			Headers: []route.Values{{Name: "content-type", Values: []string{"^application/grpc"}, Regex: true}}},
		// The answer is none of gRPC's own, so that its HTTP status counts: that of 404
		// is UNIMPLEMENTED.
		Plugins: []route.Plugin{{Name: "request-termination",
			Config: []byte(`{"status_code":404,"content_type":"text/plain","body":"no GRPCRoute takes this request"}`)}},
		HTTPSRedirectStatus: 426,
	}, r.Limits())
	if err != nil {
		panic(err) // nothing of it is a user's
	}
	return unit.Fragment{Entities: entities}, unit.None{}
}
