package customentity

import (
	"encoding/json"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ofPlugin finds the entities whose parent is a KongPlugin, by the plugin. ofClusterPlugin finds
// those of a KongClusterPlugin, by the entities' own namespace and the plugin's name.
const (
	ofPlugin        unit.Index[types.NamespacedName] = "KongCustomEntity of KongPlugin"
	ofClusterPlugin unit.Index[types.NamespacedName] = "KongCustomEntity of KongClusterPlugin"
)

func defineParents(g *unit.Graph) {
	index := func(index unit.Index[types.NamespacedName], of unit.Kind) {
		unit.DefineIndex(g, index, unit.KongCustomEntity, func(e *configurationv1alpha1.KongCustomEntity) []types.NamespacedName {
			parent, ok := parentOf(e)
			switch {
			case !ok || parent.Kind != of:
				return nil
			case of == unit.KongClusterPlugin:
				return []types.NamespacedName{{Namespace: e.Namespace, Name: parent.Name}}
			}
			return []types.NamespacedName{{Namespace: parent.Namespace, Name: parent.Name}}
		})
	}
	index(ofPlugin, unit.KongPlugin)
	index(ofClusterPlugin, unit.KongClusterPlugin)
}

// parentOf returns the plugin that an entity names as its parent; false if it names none.
func parentOf(e *configurationv1alpha1.KongCustomEntity) (unit.Key, bool) {
	ref := e.Spec.ParentRef
	if ref == nil {
		return unit.Key{}, false
	}
	parent := unit.KongPlugin.Key(e.Namespace, ref.Name)
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
	return parent, (parent.Kind == unit.KongPlugin || parent.Kind == unit.KongClusterPlugin) && (ref.Group == nil || *ref.Group == "" || *ref.Group == group)
}

var parentField = spec.Child("parentRef")

// attached translates an entity whose parent is a plugin.
func attached(r *unit.Reader, e *configurationv1alpha1.KongCustomEntity, key unit.Key, fields map[string]any) (unit.Fragment, Attached) {
	parent, ok := parentOf(e)
	switch {
	case !ok:
		return invalid(key, unit.At(parentField), "spec.parentRef: the parent must be a KongPlugin or a KongClusterPlugin"), Attached{}
	case fields["id"] != nil:
		return invalid(key, unit.At(fieldsField.Child("id")), "spec.fields.id: must not be set with spec.parentRef, because each holder of the plugin gets an entity of its own"), Attached{}
	case parent.Namespace != "" && !grant.Allows(r, key, parent):
		return invalid(key, unit.Lacking(parentField.Child("namespace"), grant.Missing(parent)), "spec.parentRef: no ReferenceGrant in namespace %s lets a KongCustomEntity of namespace %s refer to %s",
			parent.Namespace, key.Namespace, parent), Attached{}
	}
	encoded, err := json.Marshal(fields)
	if err != nil {
		return invalid(key, unit.At(fieldsField), "spec.fields: %v", err), Attached{}
	}
	pending, programmed := "no object of this gateway uses "+parent.String(), "all holders of the plugin have the entity"
	if parent.Kind == unit.KongClusterPlugin {
		pending, programmed = "no object of namespace "+key.Namespace+" uses "+parent.String(), "all holders of the plugin in this namespace have the entity"
	}
	return unit.Fragment{
		Status:   condition.Attached{Pending: pending},
		Verdicts: []unit.Verdict{condition.Verdict(key, true, "Programmed", programmed)},
	}, Attached{Type: e.Spec.EntityType, Fields: string(encoded)}
}

// OfPlugin returns the entities whose parent is a KongPlugin.
func OfPlugin(r *unit.Reader, plugin unit.Key) []route.Custom {
	return attachedIn(r, ofPlugin, plugin.Namespace, plugin.Name)
}

// OfClusterPlugin returns the entities of a namespace whose parent is a KongClusterPlugin. They
// are for the plugin's holders in that namespace only: entities must not affect other namespaces.
// Holders call it rather than the plugin's own unit, whose users in all namespaces would
// otherwise be translated again.
func OfClusterPlugin(r *unit.Reader, plugin, namespace string) []route.Custom {
	if namespace == "" {
		return nil
	}
	return attachedIn(r, ofClusterPlugin, namespace, plugin)
}

func attachedIn(r *unit.Reader, index unit.Index[types.NamespacedName], namespace, plugin string) []route.Custom {
	var all []route.Custom
	for _, key := range unit.Keys(r, index, types.NamespacedName{Namespace: namespace, Name: plugin}) {
		if found := unit.Use(r, Role.Of(key.Namespace, key.Name)); found.Type != "" {
			all = append(all, route.Custom{Namespace: key.Namespace, Name: key.Name, Type: found.Type, Fields: json.RawMessage(found.Fields)})
		}
	}
	return all
}
