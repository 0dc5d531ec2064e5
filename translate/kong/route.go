package kong

import (
	"encoding/json"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Route gives a route and what hangs on it, and the slot that its match takes up:
// two routes with equal slots are for the same requests. The error says which
// part of the match the router cannot be told.
func Route(r route.Route) (slot string, entities []*Entity, err error) {
	expr, err := Expression(r.Match)
	if err != nil {
		return "", nil, err
	}
	if err := expression.Validate(expr); err != nil {
		return "", nil, err
	}
	text, priority := expr.String(), Priority(r.Match)
	id := ID(Routes, r.Name)
	service := Ref{Services, ID(Services, r.Backend)}
	entities = append(entities, entity(Routes, id, r.Name, declaredRoute{
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
		Service: service.ID,
	}, service))
	for _, p := range r.Plugins {
		entities = append(entities, Plugin(p, Ref{Routes, id}, r.Name))
	}
	if r.Refuse != "" {
		entities = append(entities, refusal(r, id))
	}
	if r.Match.Fallback {
		text = "fallback " + text
	}
	return text, entities, nil
}

// refusal is a plugin that answers in place of the route's backend.
func refusal(r route.Route, id string) *Entity {
	config, err := json.Marshal(map[string]any{"status_code": 503, "message": r.Refuse})
	if err != nil {
		panic(err) // a number and a text
	}
	return Plugin(route.Plugin{Name: "request-termination", Config: config, Tags: r.Tags}, Ref{Routes, id}, r.Name)
}
