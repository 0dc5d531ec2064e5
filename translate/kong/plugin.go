package kong

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// relation is an entity to which a plugin is limited.
type relation struct {
	kind string // the field that names it
	ref  Ref
	name string
}

// relationsOf returns the relations of a plugin of a holder, in order.
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

// Plugin returns a plugin of a holder: a route, service or consumer, from whose name the plugin's
// id derives. Without a holder, the plugin is global.
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

// withConfig adds a configuration to an encoded plugin. It does not parse the configuration
// again, which may be large and is the same for all holders.
func withConfig(encoded []byte, config json.RawMessage) []byte {
	const field = `,"config":`
	all := make([]byte, 0, len(encoded)+len(field)+len(config))
	all = append(all, encoded[:len(encoded)-1]...) // the closing brace is last
	all = append(all, field...)
	all = append(all, config...)
	return append(all, '}')
}

// instanceDigits is the length of the digests in instance names: 128 bits, so that no one can
// choose a holder's name to collide with another one's.
const instanceDigits = 32

// instanceName returns a unique instance name for each relation of a plugin, as Kong requires. It
// differs from the Kong Ingress Controller's only in the number of digits, which is nine there.
func instanceName(name, relation string) string {
	if relation == "" {
		return name
	}
	sum := sha256.Sum256([]byte(relation))
	return name + "-" + hex.EncodeToString(sum[:])[:instanceDigits]
}

// declaredPlugin shadows go-kong's foreign keys with strings. [withConfig] adds the
// configuration.
type declaredPlugin struct {
	gokong.Plugin
	Service  string `json:"service,omitempty"`
	Route    string `json:"route,omitempty"`
	Consumer string `json:"consumer,omitempty"`
}

// WithoutNulls removes null fields from an object and the objects within it, and returns it. To
// Kubernetes, a null field is unset; Kong uses null in place of the default, and refuses it in
// required fields.
func WithoutNulls(object map[string]any) map[string]any {
	for name, value := range object {
		if value == nil {
			delete(object, name)
		} else {
			nullsWithin(value)
		}
	}
	return object
}

// nullsWithin removes null fields from the objects in a value. It keeps nulls in lists, whose
// positions matter.
func nullsWithin(value any) {
	switch value := value.(type) {
	case map[string]any:
		WithoutNulls(value)
	case []any:
		for _, element := range value {
			nullsWithin(element)
		}
	}
}
