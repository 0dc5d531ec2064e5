package declarative

import (
	"fmt"

	"github.com/google/uuid"
)

// namespace is the UUID namespace of the ids that Kong gives to entities without an id.
var namespace = uuid.MustParse("fd02801f-0957-4a15-a55a-c8d9606f30b5")

// ensureID gives an entity without an id an id that is derived from its name.
func ensureID(collection string, e Entity) {
	if e["id"] != nil {
		return
	}
	name, _ := e["name"].(string)
	switch collection {
	case "targets":
		name = fmt.Sprint("targets:", e["upstream"], ":", e["target"])
	case "plugins":
		name = fmt.Sprint("plugins:", name, ":", e["route"], ":", e["service"])
	}
	if name == "" {
		e["id"] = uuid.NewString()
		return
	}
	space := uuid.NewSHA1(namespace, []byte(collection))
	e["id"] = uuid.NewSHA1(space, []byte(name)).String()
}

func (r *reader) checkEntities() *Refusal {
	var all []Refused
	for _, collection := range collections {
		for i, e := range r.lists[collection] {
			refused := refusedEntity(collection, i, e)
			schemas[collection].check(e, "", &refused)
			if rule := rules[collection]; rule != nil {
				rule(r, e, &refused)
			}
			if len(refused.Errors) > 0 {
				all = append(all, refused)
			}
		}
	}
	if all != nil {
		return refusalOf(all)
	}
	return nil
}

// checkIdentities records errors for duplicate ids and names.
func (r *reader) checkIdentities() *Refusal {
	var all []Refused
	for _, collection := range collections {
		r.ids[collection] = map[string]string{}
		for i, e := range r.lists[collection] {
			refused := refusedEntity(collection, i, e)
			r.claim(collection, "name", e, &refused)
			r.claim(collection, "primary key", e, &refused)
			if len(refused.Errors) > 0 {
				all = append(all, refused)
			}
		}
	}
	if all != nil {
		return refusalOf(all)
	}
	return nil
}

func (r *reader) claim(collection, key string, e Entity, refused *Refused) {
	value, _ := e["id"].(string)
	if key == "name" {
		value, _ = e["name"].(string)
	}
	if value == "" || key == "name" && collection == "plugins" {
		return
	}
	if _, taken := r.ids[collection][value]; taken {
		refused.add("", fmt.Sprintf("uniqueness violation: '%s' entity with %s set to '%s' already declared",
			collection, key, value))
		return
	}
	r.ids[collection][value], _ = e["id"].(string)
}

// checkReferences replaces references with ids. Like Kong it records errors under the name of
// the entity, where flattening loses them.
func (r *reader) checkReferences() *Refusal {
	fields := map[string]any{}
	var words string
	for _, collection := range collections {
		broken := map[string]any{}
		for _, e := range r.lists[collection] {
			if message := r.resolve(collection, e); message != "" {
				name, _ := e["name"].(string)
				if name == "" {
					name, _ = e["id"].(string)
				}
				broken[name] = []string{message}
				words += collection + "." + name + ": " + message + "; "
			}
		}
		if len(broken) > 0 {
			fields[collection] = broken
		}
	}
	if len(fields) > 0 {
		refusal := refusalOfFields(fields, words)
		refusal.entities = true
		return refusal
	}
	return nil
}

func (r *reader) resolve(collection string, e Entity) (message string) {
	for name, f := range schemas[collection] {
		if f.kind != reference || e[name] == nil {
			continue
		}
		wanted, _ := e[name].(string)
		if m, ok := e[name].(map[string]any); ok {
			if wanted, _ = m["id"].(string); wanted == "" {
				wanted, _ = m["name"].(string)
			}
		}
		id, found := r.ids[f.to][wanted]
		if !found {
			return fmt.Sprintf("invalid reference '%s: %s' (no such entry in '%s')", name, wanted, f.to)
		}
		e[name] = id
	}
	return ""
}
