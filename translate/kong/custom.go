package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Custom returns an entity of a custom type with a user's fields. Its id derives from the name,
// unless the fields have one.
func Custom(t Type, name string, fields map[string]any) *Entity {
	id, ok := fields["id"].(string)
	if !ok {
		id = ID(Plugins, string(t)+" "+name)
		fields["id"] = id
	}
	return entity(t, id, name, fields)
}

// PluginEntities returns the custom entities of a plugin of a holder. They refer to the same
// entities as the plugin, unless their fields say otherwise. An entity that Kong refuses is left
// out.
func PluginEntities(p route.Plugin, holder Ref, holderName string) []*Entity {
	var all []*Entity
	for _, c := range p.Entities {
		var fields map[string]any
		if json.Unmarshal(c.Fields, &fields) != nil || fields == nil {
			continue // customentity has checked it
		}
		relations, name := relationsOf(p, holder, holderName), c.Namespace+"/"+c.Name
		key := c.Type + " " + name
		var parents []Ref
		for _, r := range relations {
			if key += ":" + r.kind + "/" + r.name; fields[r.kind] == nil {
				fields[r.kind] = r.ref.ID
				parents = append(parents, r.ref)
			}
		}
		fields["id"] = ID(Plugins, key)
		e := entity(Type(c.Type), ID(Plugins, key), name, fields, parents...)
		e.Source = Source{Kind: "KongCustomEntity", Namespace: c.Namespace, Name: c.Name}
		e.Instead = []*Entity{}
		all = append(all, e)
	}
	return all
}
