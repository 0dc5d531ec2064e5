package kong

import (
	"bytes"
	"cmp"
	"slices"
)

const declarativeHead = `{"_format_version":"3.0"`

// Kong takes a configuration without any entity for none at all and would not be
// ready. This upstream keeps it from that, as it does for the Kong Ingress Controller.
var declarativeStub = `,"upstreams":[{"id":"` + ID(Upstreams, "kong") + `","name":"kong"}]`

// Rank is the place of a collection in a configuration: what is referred to comes
// before what refers to it. Unknown ones come last.
func (t Type) Rank() int {
	if i := slices.Index(Types, t); i >= 0 {
		return i
	}
	return len(Types)
}

// Sorted sorts entities, in place, as a configuration lists them: by type, then by id.
func Sorted(entities []*Entity) []*Entity {
	slices.SortStableFunc(entities, func(a, b *Entity) int {
		if a.Type != b.Type {
			return cmp.Or(cmp.Compare(a.Type.Rank(), b.Type.Rank()), cmp.Compare(a.Type, b.Type))
		}
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	return entities
}

// Declarative writes the declarative configuration that sorted entities make, as
// JSON. Equal entities give equal bytes. What is not for Kong is left out.
func Declarative(entities []*Entity) []byte {
	entities, _ = Split(entities)
	size := len(declarativeHead) + len(declarativeStub) + len(Types)*len(`,"consumer_group_consumers":[]`)
	for _, e := range entities {
		size += len(e.JSON) + 1
	}
	body := bytes.NewBuffer(make([]byte, 0, size))
	body.WriteString(declarativeHead)
	for i, e := range entities {
		if i > 0 && entities[i-1].Type == e.Type {
			body.WriteByte(',')
		} else {
			if i > 0 {
				body.WriteByte(']')
			}
			body.WriteString(`,"` + string(e.Type) + `":[`)
		}
		body.Write(e.JSON)
	}
	if len(entities) > 0 {
		body.WriteByte(']')
	} else {
		body.WriteString(declarativeStub)
	}
	body.WriteByte('}')
	return body.Bytes()
}

// Split tells entities of Kong from those that are not for Kong.
func Split(entities []*Entity) (ofKong, local []*Entity) {
	if !slices.ContainsFunc(entities, isLocal) {
		return entities, nil
	}
	for _, e := range entities {
		if isLocal(e) {
			local = append(local, e)
		} else {
			ofKong = append(ofKong, e)
		}
	}
	return ofKong, local
}

func isLocal(e *Entity) bool { return e.Type.Local() }
