package kong

import (
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
			RequestBuffering:        gokong.Bool(true),
			ResponseBuffering:       gokong.Bool(true),
			Tags:                    gokong.StringSlice(r.Tags...),
		},
		Service: service.ID,
	}, service))
	if r.Refuse != "" {
		entities = append(entities, refusal(r, id))
	}
	if r.Match.Fallback {
		text = "fallback " + text
	}
	return text, entities, nil
}

// refusal is a plugin that answers in place of the route's backend.
func refusal(r route.Route, routeID string) *Entity {
	id := ID(Plugins, "request-termination:route/"+r.Name)
	return entity(Plugins, id, "request-termination", declaredPlugin{
		Plugin: gokong.Plugin{
			ID:     &id,
			Name:   gokong.String("request-termination"),
			Config: gokong.Configuration{"status_code": 503, "message": r.Refuse},
			Tags:   gokong.StringSlice(r.Tags...),
		},
		Route: routeID,
	}, Ref{Routes, routeID})
}
