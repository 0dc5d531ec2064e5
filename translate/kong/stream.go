package kong

import (
	"slices"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// StreamPlace is the set of connections or datagrams that a stream route asks for: those to a
// port, and with TLS those for a server name.
type StreamPlace struct {
	UDP  bool
	Port int
	SNI  route.Host
}

// Stream returns the entities of a stream route, and what it asks for.
func Stream(s route.Stream, limits limit.Limits) (place StreamPlace, entities []*Entity, err error) {
	expr := routing.StreamExpression(s)
	if err := expression.ValidateStream(expr); err != nil {
		return place, nil, err
	}
	text, size, err := routing.Bounded(expr, len(s.NotSNIs), limits)
	if err != nil {
		return place, nil, err
	}
	priority, id := routing.StreamPriority(s.SNI), ID(Routes, s.Name)
	declared := declaredRoute{Route: gokong.Route{
		ID:         &id,
		Name:       &s.Name,
		Expression: &text,
		Priority:   &priority,
		Protocols:  gokong.StringSlice(s.Protocols...),
		// Kong's defaults for stream routes.
		StripPath:    gokong.Bool(false),
		PreserveHost: gokong.Bool(false),
		Tags:         gokong.StringSlice(s.Tags...),
	}}
	var parents []Ref
	if s.Backend != "" {
		parents = []Ref{{Services, ID(Services, s.Backend)}}
		declared.Service = parents[0].ID
	}
	e := entity(Routes, id, s.Name, declared, parents...)
	e.Match = size
	entities = append(entities, e)
	if s.Refuse != "" {
		entities = append(entities, streamRefusal(s.Refuse, s.Tags, e.Ref, s.Name))
	} else {
		for _, p := range ofStreams(s.Plugins, s.Protocols) {
			guarded := Plugin(p, e.Ref, s.Name)
			guarded.Instead = []*Entity{streamRefusal(refusedMessage(p.Name), p.Tags, e.Ref, s.Name)}
			entities = append(append(entities, guarded), PluginEntities(p, e.Ref, s.Name)...)
		}
	}
	return StreamPlace{slices.Contains(s.Protocols, "udp"), s.Port, s.SNI}, entities, nil
}

// ofStreams sets the protocols of plugins that name none. Most default to requests only: Kong
// would accept them on a stream route and never run them. If the protocols are set, Kong refuses
// those that do not support streams.
func ofStreams(plugins []route.Plugin, protocols []string) []route.Plugin {
	plugins = slices.Clone(plugins)
	for i := range plugins {
		if len(plugins[i].Protocols) == 0 {
			plugins[i].Protocols = protocols
		}
	}
	return plugins
}

// streamRefusal returns a plugin that closes all connections of a route and drops its datagrams.
func streamRefusal(message string, tags []string, holder Ref, holderName string) *Entity {
	p := refusalPlugin(message, tags)
	p.Protocols = []string{"tcp", "tls", "tls_passthrough", "udp"}
	return Plugin(p, holder, holderName)
}
