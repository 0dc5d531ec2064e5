package kong

import (
	"slices"
	"strings"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

// Stream gives a route of connections or datagrams, and the slot that its match takes up.
// Of one port, a server name comes before none.
func Stream(s route.Stream) (slot string, entities []*Entity, err error) {
	terms, priority := []expression.Expr{expression.EqualInt(expression.NetDstPort, int64(s.Port))}, uint64(1)
	if s.SNI != "" {
		terms, priority = append(terms, expression.Equal(expression.TLSSNI, s.SNI)), 2
	}
	expr := expression.And(terms...)
	if err := expression.ValidateStream(expr); err != nil {
		return "", nil, err
	}
	text, id := expr.String(), ID(Routes, s.Name)
	service := Ref{Services, ID(Services, s.Backend)}
	e := entity(Routes, id, s.Name, declaredRoute{
		Route: gokong.Route{
			ID:         &id,
			Name:       &s.Name,
			Expression: &text,
			Priority:   &priority,
			Protocols:  gokong.StringSlice(s.Protocols...),
			// Kong's own defaults, in words that fit streams.
			StripPath:    gokong.Bool(false),
			PreserveHost: gokong.Bool(false),
			Tags:         gokong.StringSlice(s.Tags...),
		},
		Service: service.ID,
	}, service)
	entities = append(entities, e)
	if s.Refuse != "" {
		entities = append(entities, streamRefusal(s.Refuse, s.Tags, e.Ref, s.Name))
	} else {
		for _, p := range s.Plugins {
			guarded := Plugin(p, e.Ref, s.Name)
			guarded.Instead = []*Entity{streamRefusal(refusedMessage(p.Name), p.Tags, e.Ref, s.Name)}
			entities = append(entities, guarded)
		}
	}
	transport := "tcp"
	if slices.Contains(s.Protocols, "udp") {
		transport = "udp"
	}
	return strings.Join([]string{"stream", transport, text}, " "), entities, nil
}

// streamRefusal gives a plugin that closes all connections of a route and drops its
// datagrams.
func streamRefusal(message string, tags []string, holder Ref, holderName string) *Entity {
	p := refusalPlugin(message, tags, "")
	p.Protocols = []string{"tcp", "tls", "tls_passthrough", "udp"}
	return Plugin(p, holder, holderName)
}
