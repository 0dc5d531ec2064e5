package kong

import (
	"slices"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Route gives a route and what hangs on it. The error says which part of the match the router
// cannot be told, or which limit the match exceeds.
func Route(r route.Route, limits limit.Limits) (entities []*Entity, err error) {
	if err := countable(r.Match, limits); err != nil {
		return nil, err
	}
	expr, err := Expression(r.Match)
	if err != nil {
		return nil, err
	}
	if tellsSchemes(r) && r.Match.Port == 0 {
		expr = expression.And(expr, anyPort)
	}
	if err := expression.Validate(expr); err != nil {
		return nil, err
	}
	text, size, err := bounded(expr, len(r.Match.NotHosts), limits)
	if err != nil {
		return nil, err
	}
	priority := Priority(r.Match) | r.Place
	id := ID(Routes, r.Name)
	declared := declaredRoute{
		Route: gokong.Route{
			ID:                      &id,
			Name:                    &r.Name,
			Expression:              &text,
			Priority:                &priority,
			Protocols:               gokong.StringSlice(r.Protocols...),
			StripPath:               &r.StripPath,
			PreserveHost:            &r.PreserveHost,
			HTTPSRedirectStatusCode: &r.HTTPSRedirectStatus,
			RequestBuffering:        &r.BufferRequest,
			ResponseBuffering:       &r.BufferResponse,
			Tags:                    gokong.StringSlice(r.Tags...),
		},
	}
	// Without a service there is nothing that a request could reach, whatever other
	// plugins there are.
	closed := entity(Routes, id, r.Name, declared)
	closed.Match = size
	if r.Refuse != "" {
		entities = append(entities, closed, Refusal(r.Refuse, r.Tags, closed.Ref, r.Name))
	} else {
		open := closed // without a backend, for what a plugin answers
		if r.Backend != "" {
			service := Ref{Services, ID(Services, r.Backend)}
			declared.Service = service.ID
			open = entity(Routes, id, r.Name, declared, service)
			open.Match = size
		}
		entities = append(entities, open)
		for _, p := range r.Plugins {
			guarded := Guarded(p, closed.Ref, r.Name)
			guarded.Instead = append(guarded.Instead, closed)
			entities = append(append(entities, guarded), Brought(p, closed.Ref, r.Name)...)
		}
	}
	return entities, nil
}

// anyPort is always true. Kong remembers which route a request had by all fields that
// any expression names but net.protocol, so that the answer to http://a would be the one
// to https://a. Those come to ports of their own.
var anyPort = expression.NotEqualInt(expression.NetDstPort, 0)

// tellsSchemes reports whether a route is for requests over TLS alone, or without alone, or
// for others over TLS than without.
func tellsSchemes(r route.Route) bool {
	plain := func(protocol string) bool { return protocol == "http" || protocol == "grpc" }
	return r.Match.Scheme != "" || len(r.Match.SNIs) > 0 || len(r.Protocols) > 0 && !slices.ContainsFunc(r.Protocols, func(p string) bool { return !plain(p) })
}
