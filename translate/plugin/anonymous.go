package plugin

import (
	"fmt"
	"slices"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// consumersNamed finds KongConsumers by their namespace and username. It is looked through for
// each namespace that may have the one, so that consumers elsewhere concern no plugin.
const consumersNamed unit.Kind = "KongConsumer of username"

func defineUsernames(g *unit.Graph) {
	g.DefineIndex(unit.Index{Name: consumersNamed, Kind: unit.KongConsumer, Owner: func(object unit.Object) (namespace, name string, ok bool) {
		c, ok := object.(*configurationv1.KongConsumer)
		if !ok || c.Username == "" {
			return "", "", false
		}
		return c.Namespace, c.Username, true
	}})
}

// anonymous returns why a KongPlugin of an isolated gateway must not have the consumer that
// its configuration has requests without credentials go on as: Kong would take whichever
// consumer of the gateway has the name.
func (d definition) anonymous(r *unit.Reader, s source, config map[string]any) error {
	name, ok := config["anonymous"].(string)
	if !ok || name == "" || !d.Isolated || s.key.Kind != unit.KongPlugin {
		return nil
	}
	ours := func(c *configurationv1.KongConsumer) bool { return class.Ours(r, c, d.vaults.Class) }
	for _, namespace := range append([]string{s.key.Namespace}, grant.ConsumersOf(r, s.key.Namespace)...) {
		if slices.ContainsFunc(unit.List[*configurationv1.KongConsumer](r, unit.Key{Kind: consumersNamed, Namespace: namespace, Name: name}), ours) {
			return nil
		}
	}
	return unit.WithFault(fmt.Errorf("config.anonymous names no KongConsumer of this namespace by its username, nor one of a namespace "+
		"whose consumers a ReferenceGrant in namespace %s lets in; while TENANCY is isolated it has to", s.key.Namespace),
		unit.Lacking(configField.Child("anonymous"), unit.Key{Kind: unit.KongConsumer, Namespace: s.key.Namespace}))
}
