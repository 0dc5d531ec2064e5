package kong

import (
	"slices"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// Route returns the entities of a route and its plugins. The error names the part of the match
// that the router cannot express, or the limit that it exceeds.
func Route(r route.Route, limits limit.Limits) (entities []*Entity, err error) {
	if err := routing.CheckCounts(r.Match, limits); err != nil {
		return nil, err
	}
	expr, err := routing.Expression(r.Match)
	if err != nil {
		return nil, err
	}
	if dependsOnScheme(r) && r.Match.Port == 0 {
		expr = expression.And(expr, anyPort)
	}
	if err := expression.Validate(expr); err != nil {
		return nil, err
	}
	text, size, err := routing.Bounded(expr, len(r.Match.NotHosts), limits)
	if err != nil {
		return nil, err
	}
	priority := routing.Priority(r.Match) | r.Place
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
	// Without a service, requests reach nothing, whatever other plugins do.
	closed := entity(Routes, id, r.Name, declared)
	closed.Match = size
	if r.Refuse != "" {
		entities = append(entities, closed, Refusal(r.Refuse, r.Tags, closed.Ref, r.Name))
	} else {
		open := closed // has no service if plugins answer
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
			entities = append(append(entities, guarded), PluginEntities(p, closed.Ref, r.Name)...)
		}
	}
	return entities, nil
}

// anyPort is always true. Kong caches the route of a request by all fields in expressions except
// net.protocol, so the result for http://a would be used for https://a. The port distinguishes
// them.
var anyPort = expression.NotEqualInt(expression.NetDstPort, 0)

// dependsOnScheme reports whether a route treats requests over TLS and plain ones differently.
func dependsOnScheme(r route.Route) bool {
	plain := func(protocol string) bool { return protocol == "http" || protocol == "grpc" }
	return r.Match.Scheme != "" || len(r.Match.SNIs) > 0 || len(r.Protocols) > 0 && !slices.ContainsFunc(r.Protocols, func(p string) bool { return !plain(p) })
}
