package kong

import "bytes"

// Type is a collection of Kong's declarative configuration, such as "routes".
type Type string

// The collections, in the order in which a configuration lists them: what is
// referred to comes before what refers to it.
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

// Entity is one Kong entity, ready to be sent. It is never modified.
type Entity struct {
	Ref
	// Name is what people call it: its name, or a target's address. It may be empty.
	Name string
	// Parents are the entities that it refers to and cannot be without.
	Parents []Ref
	// JSON is the entity in the flat declarative format: with its id, foreign
	// keys as id strings.
	JSON []byte
	// Instead is what the unit has in the place of this entity if Kong refuses it, so
	// that the rest of the unit goes on: it replaces entities of the unit with the same
	// Ref and adds others. Empty for an entity that can be left out; nil for one without
	// which the unit is not to be.
	Instead []*Entity
	// Secret tells that fields are of a Secret: what quotes them is not for everybody.
	Secret bool
	// Match is what the match of a route takes in a worker's router, in bytes.
	Match int
	// Source is the object that it is made of, for one whose tags do not tell.
	Source Source
}

// Source names an object. Its kind may be empty: there is none.
type Source struct{ Kind, Namespace, Name string }

// Equal tells whether two entities are the same in Kong.
func (e *Entity) Equal(other *Entity) bool {
	return e == other || e.Ref == other.Ref && bytes.Equal(e.JSON, other.JSON)
}
