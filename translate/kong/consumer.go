package kong

import (
	"maps"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Consumer gives a consumer without its credentials.
func Consumer(c route.Consumer) *Entity {
	id := ID(Consumers, c.Name)
	declared := gokong.Consumer{ID: &id, Tags: gokong.StringSlice(c.Tags...)}
	if c.Username != "" {
		declared.Username = &c.Username
	}
	if c.CustomID != "" {
		declared.CustomID = &c.CustomID
	}
	return entity(Consumers, id, c.Name, declared)
}

// Credential gives a consumer's credential of a type. One that Kong refuses is left
// out: it must not keep others from being withdrawn.
func Credential(c route.Credential, t Type) *Entity {
	id, consumer := ID(t, c.Name), Ref{Consumers, ID(Consumers, c.Consumer)}
	fields := maps.Clone(c.Fields)
	fields["id"], fields["consumer"], fields["tags"] = id, consumer.ID, c.Tags
	e := entity(t, id, c.Name, fields, consumer)
	e.Instead, e.Secret = []*Entity{}, true
	return e
}
