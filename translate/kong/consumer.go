package kong

import (
	"maps"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Consumer returns a consumer without its credentials.
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

// Credential returns a consumer's credential of a type. If Kong refuses it, it is left out, so
// that it does not prevent the removal of others.
func Credential(c route.Credential, t Type) *Entity {
	id, consumer := ID(t, c.Name), Ref{Consumers, ID(Consumers, c.Consumer)}
	fields := maps.Clone(c.Fields)
	fields["id"], fields["consumer"], fields["tags"] = id, consumer.ID, c.Tags
	e := entity(t, id, c.Name, fields, consumer)
	e.Instead, e.Secret = []*Entity{}, true
	return e
}
