package customentity

import (
	"encoding/json"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ofPlugin finds the entities whose parent is a plugin, by the plugin's kind.
var ofPlugin = map[unit.Kind]unit.Kind{
	unit.KongPlugin:        "KongCustomEntity of KongPlugin",
	unit.KongClusterPlugin: "KongCustomEntity of KongClusterPlugin",
}

func defineParents(g *unit.Graph) {
	for kind, index := range ofPlugin {
		g.DefineIndex(unit.Index{Name: index, Kind: unit.KongCustomEntity, Owner: func(object unit.Object) (string, string, bool) {
			e, ok := object.(*configurationv1alpha1.KongCustomEntity)
			if !ok || e.Spec.ParentRef == nil {
				return "", "", false
			}
			parent, known := parentOf(e)
			return parent.Namespace, parent.Name, known && parent.Kind == kind
		}})
	}
}

// parentOf is the plugin that an entity names; it is false for what is none.
func parentOf(e *configurationv1alpha1.KongCustomEntity) (unit.Key, bool) {
	ref := e.Spec.ParentRef
	parent := unit.Key{Kind: unit.KongPlugin, Namespace: e.Namespace, Name: ref.Name}
	if ref.Kind != nil {
		parent.Kind = unit.Kind(*ref.Kind)
	}
	if ref.Namespace != nil && *ref.Namespace != "" {
		parent.Namespace = *ref.Namespace
	}
	if parent.Kind == unit.KongClusterPlugin {
		parent.Namespace = ""
	}
	group := configurationv1.GroupVersion.Group
	return parent, ofPlugin[parent.Kind] != "" && (ref.Group == nil || *ref.Group == "" || *ref.Group == group)
}

// attached is an entity that has a plugin as its parent.
func attached(r *unit.Reader, e *configurationv1alpha1.KongCustomEntity, key unit.Key, fields map[string]any) unit.Fragment {
	parent, ok := parentOf(e)
	switch {
	case !ok:
		return invalid(key, "spec.parentRef: a KongPlugin or KongClusterPlugin can be the parent")
	case fields["id"] != nil:
		return invalid(key, "spec.fields.id: the entity is there once for each object that has the plugin, and cannot have one id")
	case parent.Namespace != "" && !grant.Allows(r, key, parent):
		return invalid(key, "spec.parentRef: no ReferenceGrant in namespace %s lets a KongCustomEntity of namespace %s refer to %s",
			parent.Namespace, key.Namespace, parent)
	}
	encoded, err := json.Marshal(fields)
	if err != nil {
		return invalid(key, "spec.fields: %v", err)
	}
	pending, programmed := "nothing of this gateway has "+parent.String(), "what has the plugin has the entity"
	if parent.Kind == unit.KongClusterPlugin {
		pending, programmed = "nothing of namespace "+key.Namespace+" has "+parent.String(), "what has the plugin in this namespace has the entity"
	}
	return unit.Fragment{
		Value:    Attached{Type: e.Spec.EntityType, Fields: string(encoded)},
		Status:   condition.Attached{Pending: pending},
		Verdicts: []unit.Verdict{condition.Verdict(key, true, "Programmed", programmed)},
	}
}

// Of gives the entities whose parent is a plugin. Those of a KongClusterPlugin are each for
// what has the plugin in the entity's own namespace, see [For].
func Of(r *unit.Reader, plugin unit.Key) []route.Custom {
	var all []route.Custom
	for _, key := range r.Keys(unit.Key{Kind: ofPlugin[plugin.Kind], Namespace: plugin.Namespace, Name: plugin.Name}) {
		found, _ := r.Use(unit.ID{Role: Role, Namespace: key.Namespace, Name: key.Name}).(Attached)
		if found.Type != "" {
			all = append(all, route.Custom{Namespace: key.Namespace, Name: key.Name, Type: found.Type, Fields: json.RawMessage(found.Fields)})
		}
	}
	return all
}

// For are the entities of a plugin that an object of a namespace has with the plugin: a
// KongClusterPlugin is everybody's, so that an entity of another namespace could change what
// the object's requests become.
func For(all []route.Custom, plugin unit.Kind, namespace string) []route.Custom {
	if plugin != unit.KongClusterPlugin {
		return all
	}
	var own []route.Custom
	for _, c := range all {
		if c.Namespace == namespace {
			own = append(own, c)
		}
	}
	return own
}
