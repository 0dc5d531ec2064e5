package kong

import (
	"bytes"
	"cmp"
	"slices"
)

const declarativeHead = `{"_format_version":"3.0"`

// Kong treats a configuration without entities as none and does not become ready. Like the Kong
// Ingress Controller, this upstream prevents that.
var declarativeStub = `,"upstreams":[{"id":"` + ID(Upstreams, "kong") + `","name":"kong"}]`

// Rank is the index of a collection in a configuration: referenced entities come first, and
// unknown collections last.
func (t Type) Rank() int {
	if i := slices.Index(Types, t); i >= 0 {
		return i
	}
	return len(Types)
}

// Sorted sorts entities in place, in the order of a configuration: by type, then by id.
func Sorted(entities []*Entity) []*Entity {
	slices.SortStableFunc(entities, func(a, b *Entity) int {
		if a.Type != b.Type {
			return cmp.Or(cmp.Compare(a.Type.Rank(), b.Type.Rank()), cmp.Compare(a.Type, b.Type))
		}
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	return entities
}

// Declarative returns the declarative configuration of sorted entities as JSON. Equal entities
// result in equal bytes. Local entities are left out.
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

// Split separates Kong's entities from those that are [Type.Local].
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
