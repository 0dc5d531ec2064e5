package kong

import (
	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// What the Kong Ingress Controller sets on every service.
const (
	timeout = 60000 // milliseconds
	retries = 5
)

// Backend gives a backend's service, upstream and targets.
func Backend(b route.Backend) []*Entity {
	if b.Refuse != "" {
		b.Targets = nil
	}
	upstream := Ref{Upstreams, ID(Upstreams, b.Host)}
	entities := make([]*Entity, 0, len(b.Targets)+2)
	entities = append(entities, service(b), entity(Upstreams, upstream.ID, b.Host, gokong.Upstream{
		ID:        &upstream.ID,
		Name:      &b.Host,
		Algorithm: gokong.String("round-robin"),
		Tags:      gokong.StringSlice(b.Tags...),
	}))
	for _, t := range b.Targets {
		id := ID(Targets, upstream.ID+":"+t.Address)
		entities = append(entities, entity(Targets, id, t.Address, declaredTarget{
			Target:   gokong.Target{ID: &id, Target: &t.Address, Weight: &t.Weight},
			Upstream: upstream.ID,
		}, upstream))
	}
	return append(entities, guards(b)...)
}

func service(b route.Backend) *Entity {
	id := ID(Services, b.Name)
	return entity(Services, id, b.Name, gokong.Service{
		ID:             &id,
		Name:           &b.Name,
		Host:           &b.Host,
		Port:           &b.Port,
		Path:           gokong.String("/"),
		Protocol:       &b.Protocol,
		ConnectTimeout: gokong.Int(timeout),
		ReadTimeout:    gokong.Int(timeout),
		WriteTimeout:   gokong.Int(timeout),
		Retries:        gokong.Int(retries),
		Tags:           gokong.StringSlice(b.Tags...),
	})
}
