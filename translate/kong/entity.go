package kong

import (
	"bytes"

	"github.com/kube-sync/kube-sync/translate/limit"
)

// Type is a collection of Kong's declarative configuration, such as "routes".
type Type string

// The collections in the order of a configuration: referenced entities come first.
const (
	Certificates         Type = "certificates"
	SNIs                 Type = "snis"
	CACertificates       Type = "ca_certificates"
	Services             Type = "services"
	Routes               Type = "routes"
	Upstreams            Type = "upstreams"
	Targets              Type = "targets"
	Consumers            Type = "consumers"
	ConsumerGroups       Type = "consumer_groups"
	ConsumerGroupMembers Type = "consumer_group_consumers"
	KeyAuths             Type = "keyauth_credentials"
	BasicAuths           Type = "basicauth_credentials"
	HMACAuths            Type = "hmacauth_credentials"
	JWTs                 Type = "jwt_secrets"
	ACLs                 Type = "acls"
	OAuth2s              Type = "oauth2_credentials"
	Vaults               Type = "vaults"
	Plugins              Type = "plugins"
)

// Types lists all collections in the order of the configuration.
var Types = []Type{
	Certificates, SNIs, CACertificates, Services, Routes, Upstreams, Targets,
	Consumers, ConsumerGroups, ConsumerGroupMembers, KeyAuths, BasicAuths, HMACAuths, JWTs, ACLs, OAuth2s,
	Vaults, Plugins,
}

// Ref names one entity.
type Ref struct {
	Type Type
	ID   string
}

// Entity is one Kong entity, ready to be sent. It is immutable.
type Entity struct {
	Ref
	// Name is the entity's name, or a target's address. It may be empty.
	Name string
	// Parents are the entities that it references and requires.
	Parents []Ref
	// JSON is the entity in the flat declarative format, with its id, and with id strings as
	// foreign keys.
	JSON []byte
	// Instead replaces this entity if Kong refuses it, so that the rest of the unit stays in
	// effect: it replaces entities of the unit with the same Ref and adds others. It is empty for
	// an entity that can be left out, and nil for one that the unit requires.
	Instead []*Entity
	// Secret is set if fields come from a Secret: messages that quote them are confidential.
	Secret bool
	// Match is the size of a route's match in a worker's router, in bytes.
	Match int
	// Source is the entity's object, for an entity without tags that name it.
	Source Source
}

// Source names an object. The zero value names none.
type Source struct{ Kind, Namespace, Name string }

// Equal reports whether two entities are the same in Kong.
func (e *Entity) Equal(other *Entity) bool {
	return e == other || e.Ref == other.Ref && bytes.Equal(e.JSON, other.JSON)
}

// Cost returns the sizes of entities, summed up.
func Cost(entities []*Entity) (cost limit.Cost) {
	for _, e := range entities {
		cost = cost.Add(limit.Cost{Entities: 1, Bytes: len(e.JSON), Match: e.Match})
	}
	return cost
}
