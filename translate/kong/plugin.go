package kong

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// relation is an entity that a plugin is limited to.
type relation struct {
	kind string // the field that names it
	ref  Ref
	name string
}

// relationsOf are those of a plugin of a holder, in order.
func relationsOf(p route.Plugin, holder Ref, holderName string) (all []relation) {
	switch holder.Type {
	case Services:
		all = append(all, relation{"service", holder, holderName})
	case Routes:
		all = append(all, relation{"route", holder, holderName})
	case Consumers:
		p.Consumer = holderName
	}
	if p.Consumer != "" {
		all = append(all, relation{"consumer", Ref{Consumers, ID(Consumers, p.Consumer)}, p.Consumer})
	}
	return all
}

// Plugin gives a plugin of a holder, a route, service or consumer, whose name makes the
// plugin's id. Without a holder it is for all requests.
func Plugin(p route.Plugin, holder Ref, holderName string) *Entity {
	declared := declaredPlugin{
		Plugin: gokong.Plugin{
			Name:      &p.Name,
			Enabled:   gokong.Bool(!p.Disabled),
			Protocols: gokong.StringSlice(p.Protocols...),
			Tags:      gokong.StringSlice(p.Tags...),
		},
	}
	key, suffix := p.Name, ""
	fields := map[string]*string{"service": &declared.Service, "route": &declared.Route, "consumer": &declared.Consumer}
	var parents []Ref
	for _, r := range relationsOf(p, holder, holderName) {
		*fields[r.kind] = r.ref.ID
		key += ":" + r.kind + "/" + r.name
		suffix += "_" + r.kind + "-" + r.name
		parents = append(parents, r.ref)
	}
	if p.Instance != "" {
		declared.InstanceName = gokong.String(instanceName(p.Instance, suffix))
	}
	id := ID(Plugins, key)
	declared.ID = &id
	e := entity(Plugins, id, p.Name, declared, parents...)
	if len(p.Config) > 0 {
		e.JSON = withConfig(e.JSON, p.Config)
	}
	e.Secret = p.Secret
	return e
}

// withConfig adds a configuration, which may be large and is the same for all that have the
// plugin, to an encoded plugin. It was read before and is not read again.
func withConfig(encoded []byte, config json.RawMessage) []byte {
	const field = `,"config":`
	all := make([]byte, 0, len(encoded)+len(field)+len(config))
	all = append(all, encoded[:len(encoded)-1]...) // the closing brace is last
	all = append(all, field...)
	all = append(all, config...)
	return append(all, '}')
}

// instanceDigits are how much of a digest instance names have: 128 bits, so that nobody finds
// the name of a holder whose plugins then have those of another one's.
const instanceDigits = 32

// instanceName tells the plugins apart that one name is for: Kong wants it unique. The Kong
// Ingress Controller's names are the same but for having nine digits alone.
func instanceName(name, relation string) string {
	if relation == "" {
		return name
	}
	sum := sha256.Sum256([]byte(relation))
	return name + "-" + hex.EncodeToString(sum[:])[:instanceDigits]
}

// declaredPlugin covers go-kong's foreign keys with strings, and leaves the configuration to
// [withConfig].
type declaredPlugin struct {
	gokong.Plugin
	Service  string `json:"service,omitempty"`
	Route    string `json:"route,omitempty"`
	Consumer string `json:"consumer,omitempty"`
}
