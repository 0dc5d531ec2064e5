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

var rank = func() map[Type]int {
	ranks := make(map[Type]int, len(Types))
	for i, t := range Types {
		ranks[t] = i
	}
	return ranks
}()

// Declarative writes the declarative configuration that the entities make, as JSON.
// It sorts them: by type, then by id. Equal entities give equal bytes.
func Declarative(entities []*Entity) []byte {
	slices.SortStableFunc(entities, func(a, b *Entity) int {
		return cmp.Or(cmp.Compare(rank[a.Type], rank[b.Type]), cmp.Compare(a.ID, b.ID))
	})
	size := len(declarativeHead) + len(declarativeStub) + len(Types)*len(`,"certificates":[]`)
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
