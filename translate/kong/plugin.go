package kong

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Plugin gives a plugin of a holder, a route, service, consumer or consumer group,
// whose name makes the plugin's id. Without a holder it is for all requests.
func Plugin(p route.Plugin, holder Ref, holderName string) *Entity {
	declared := declaredPlugin{
		Plugin: gokong.Plugin{
			Name:      &p.Name,
			Enabled:   gokong.Bool(!p.Disabled),
			Protocols: gokong.StringSlice(p.Protocols...),
			Tags:      gokong.StringSlice(p.Tags...),
		},
		Config:   p.Config,
		Ordering: p.Ordering,
	}
	key, relation := p.Name, ""
	var parents []Ref
	hold := func(field *string, kind string, ref Ref, name string) {
		*field = ref.ID
		key += ":" + kind + "/" + name
		relation += "_" + kind + "-" + name
		parents = append(parents, ref)
	}
	switch holder.Type {
	case Services:
		hold(&declared.Service, "service", holder, holderName)
	case Routes:
		hold(&declared.Route, "route", holder, holderName)
	case Consumers:
		p.Consumer = holderName
	case ConsumerGroups:
		p.ConsumerGroup = holderName
	}
	if p.Consumer != "" {
		hold(&declared.Consumer, "consumer", Ref{Consumers, ID(Consumers, p.Consumer)}, p.Consumer)
	}
	if p.ConsumerGroup != "" {
		hold(&declared.ConsumerGroup, "consumer_group", Ref{ConsumerGroups, ID(ConsumerGroups, p.ConsumerGroup)}, p.ConsumerGroup)
	}
	if p.Instance != "" {
		declared.InstanceName = gokong.String(instanceName(p.Instance, relation))
	}
	id := ID(Plugins, key)
	declared.ID = &id
	return entity(Plugins, id, p.Name, declared, parents...)
}

// instanceName tells the plugins apart that one name is for: Kong wants it unique.
func instanceName(name, relation string) string {
	if relation == "" {
		return name
	}
	sum := sha256.Sum256([]byte(relation))
	return name + "-" + hex.EncodeToString(sum[:])[:9]
}

// declaredPlugin covers go-kong's foreign keys with strings, and leaves the
// configuration in the words of whoever wrote it.
type declaredPlugin struct {
	gokong.Plugin
	Config        json.RawMessage `json:"config,omitempty"`
	Ordering      json.RawMessage `json:"ordering,omitempty"`
	Service       string          `json:"service,omitempty"`
	Route         string          `json:"route,omitempty"`
	Consumer      string          `json:"consumer,omitempty"`
	ConsumerGroup string          `json:"consumer_group,omitempty"`
}
