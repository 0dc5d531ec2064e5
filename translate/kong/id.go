package kong

import (
	"crypto/sha1"

	"github.com/google/uuid"
)

// entitiesNamespace is the root of the ids that Kong, go-kong and the Kong Ingress Controller
// derive from names.
var entitiesNamespace = uuid.MustParse("fd02801f-0957-4a15-a55a-c8d9606f30b5")

var namespaces = func() map[Type]uuid.UUID {
	m := make(map[Type]uuid.UUID, len(Types))
	for _, t := range Types {
		m[t] = uuid.NewSHA1(entitiesNamespace, []byte(t))
	}
	// As go-kong spells it.
	m[ConsumerGroups] = uuid.NewSHA1(entitiesNamespace, []byte("consumergroups"))
	return m
}()

// ID returns the id of the entity with the given name: a UUIDv5, the same in every Kong.
func ID(t Type, name string) string {
	namespace := namespaces[t]
	sum := sha1.Sum(append(append(make([]byte, 0, 128), namespace[:]...), name...))
	id := uuid.UUID(sum[:16]) // like uuid.NewSHA1, without its allocations
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	return id.String()
}
