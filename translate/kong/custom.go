package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Custom gives an entity of a type that is none of those above, with the fields of
// whoever wrote it. The name makes its id, unless the fields have one.
func Custom(t Type, name string, fields map[string]any) *Entity {
	id, ok := fields["id"].(string)
	if !ok {
		id = ID(Plugins, string(t)+" "+name)
		fields["id"] = id
	}
	return entity(t, id, name, fields)
}

// Brought gives the entities that a plugin brings along to a holder, as Plugin gives the
// plugin. They refer to what the plugin refers to, unless their fields say otherwise. One
// that Kong refuses is left out.
func Brought(p route.Plugin, holder Ref, holderName string) []*Entity {
	var all []*Entity
	for _, c := range p.Entities {
		var fields map[string]any
		if json.Unmarshal(c.Fields, &fields) != nil || fields == nil {
			continue // it was read before
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
