package gateway

import (
	"bytes"
	"cmp"
	"crypto/md5" //nolint:gosec // Kong's choice; it guards against nothing
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
)

const (
	head = `{"_format_version":"3.0"`
	// A configuration without any entity has a hash of zeros, as if Kong had never
	// received one, and Kong would not be ready. This upstream keeps it from that.
	stub = `,"upstreams":[{"name":"kong","id":"ee652042-799c-5eeb-aa29-f2cd2994b1bd"}]`
	// What the punctuation of a type takes at most, but for its name.
	punctuation = len(`,"":[]`)
)

// render writes the declarative configuration that consists of the entities, which
// are in the order of [order]. Equal entities give equal bytes.
func render(entities []*kong.Entity) []byte {
	if len(entities) == 0 {
		return []byte(head + stub + "}")
	}
	size := len(head) + 1
	for i, e := range entities {
		size += len(e.JSON) + 1
		if i == 0 || entities[i-1].Type != e.Type {
			size += len(e.Type) + punctuation
		}
	}
	body := bytes.NewBuffer(make([]byte, 0, size))
	body.WriteString(head)
	for i, e := range entities {
		if i > 0 && entities[i-1].Type == e.Type {
			body.WriteByte(',')
		} else {
			if i > 0 {
				body.WriteByte(']')
			}
			body.WriteString(`,"`)
			body.WriteString(string(e.Type))
			body.WriteString(`":[`)
		}
		body.Write(e.JSON)
	}
	body.WriteString("]}")
	return body.Bytes()
}

// order lists entities by type, what is referred to first, and by id.
func order(entities []*kong.Entity) []*kong.Entity {
	byType := map[kong.Type][]*kong.Entity{}
	for _, e := range entities {
		byType[e.Type] = append(byType[e.Type], e)
	}
	rank := ranks()
	types := slices.SortedFunc(maps.Keys(byType), func(a, b kong.Type) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	ordered := make([]*kong.Entity, 0, len(entities))
	for _, typ := range types {
		slices.SortStableFunc(byType[typ], func(a, b *kong.Entity) int {
			if c := strings.Compare(a.ID, b.ID); c != 0 {
				return c
			}
			return strings.Compare(a.Name, b.Name)
		})
		ordered = append(ordered, byType[typ]...)
	}
	return ordered
}

// ranks gives the place of a type in a configuration.
func ranks() func(kong.Type) int {
	known := make(map[kong.Type]int, len(kong.Types))
	for i, typ := range kong.Types {
		known[typ] = i
	}
	return func(typ kong.Type) int {
		if i, ok := known[typ]; ok {
			return i
		}
		return len(known)
	}
}

// hashOf is the hash that Kong gives to a body.
func hashOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}
