package kong

import "github.com/google/uuid"

// entitiesNamespace is the root of the ids that Kong, go-kong and the Kong
// Ingress Controller derive from names.
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

// ID is the id of the entity with the given name: a UUIDv5, the same in every Kong.
func ID(t Type, name string) string {
	return uuid.NewSHA1(namespaces[t], []byte(name)).String()
}
