package plugin

import (
	"fmt"
	"slices"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// consumersNamed finds KongConsumers by namespace and username, so that consumers of other namespaces
// do not affect a plugin.
const consumersNamed unit.Index[types.NamespacedName] = "KongConsumer of username"

func defineUsernames(g *unit.Graph) {
	unit.DefineIndex(g, consumersNamed, unit.KongConsumer, func(c *configurationv1.KongConsumer) []types.NamespacedName {
		if c.Username == "" {
			return nil
		}
		return []types.NamespacedName{{Namespace: c.Namespace, Name: c.Username}}
	})
}

// anonymous returns an error if a KongPlugin of an isolated gateway names an anonymous consumer that
// its namespace may not use: in Kong, the name may belong to a consumer of any namespace.
func (d definition) anonymous(r *unit.Reader, s source, config map[string]any) error {
	name, ok := config["anonymous"].(string)
	if !ok || name == "" || !d.Isolated || s.key.Kind != unit.KongPlugin {
		return nil
	}
	ours := func(c *configurationv1.KongConsumer) bool { return class.Ours(r, c, d.vaults.Class) }
	for _, namespace := range append([]string{s.key.Namespace}, grant.ConsumersOf(r, s.key.Namespace)...) {
		if slices.ContainsFunc(unit.List[*configurationv1.KongConsumer](r, consumersNamed, types.NamespacedName{Namespace: namespace, Name: name}), ours) {
			return nil
		}
	}
	return unit.WithFault(fmt.Errorf("config.anonymous has to be the username of a KongConsumer in this namespace, or in a namespace "+
		"whose consumers a ReferenceGrant in namespace %s allows, because TENANCY is isolated", s.key.Namespace),
		unit.Lacking(configField.Child("anonymous"), unit.KongConsumer.Key(s.key.Namespace, "")))
}
