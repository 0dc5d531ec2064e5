package plugin

import (
	"fmt"
	"slices"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Indexes of the objects that name a plugin, by the plugin's namespace and name.
const (
	consumersNaming unit.Index[types.NamespacedName] = "KongConsumer naming KongPlugin"
	groupsNaming    unit.Index[types.NamespacedName] = "KongConsumerGroup naming KongPlugin"
	routesNaming    unit.Index[types.NamespacedName] = "route naming KongPlugin"
)

// The roles of units that summarize these objects, so that users of a plugin are translated again
// only if the result changes. The Sub of their ids is the kind of the plugin.
const (
	scopeRole  unit.RoleBy[unit.Kind, scope] = "plugin-consumers"
	routesRole unit.RoleBy[unit.Kind, bool]  = "plugin-routes"
)

// scope holds the consumers to which a plugin of routes or Services is limited.
type scope struct {
	consumers []string // names in Kong
	group     string   // the first KongConsumerGroup, if there are no consumers
}

func defineRelations(g *unit.Graph, className string) {
	unit.DefineIndex(g, consumersNaming, unit.KongConsumer, namedIn)
	unit.DefineIndex(g, groupsNaming, unit.KongConsumerGroup, namedIn)
	DefineRoute(g, unit.Service)
	DefineRoute(g, unit.Ingress, func(r *unit.Reader, object unit.Object) bool {
		ingress, ok := object.(*networkingv1.Ingress)
		return ok && class.OursIngress(r, ingress, className)
	})
	unit.SharedBy(g, scopeRole, unit.KongPlugin, func(r *unit.Reader, plugin unit.Key, kind unit.Kind) (unit.Fragment, scope) {
		return unit.Fragment{}, gather(r, plugin, kind, className)
	})
	unit.SharedBy(g, routesRole, unit.KongPlugin, func(r *unit.Reader, plugin unit.Key, kind unit.Kind) (unit.Fragment, bool) {
		limited := false
		for _, key := range referrers(r, routesNaming, plugin, kind) {
			ours := unit.Use(r, namingRole(key.Kind).Of(key.Namespace, key.Name))
			limited = limited || ours
		}
		return unit.Fragment{}, limited
	})
}

// namingRole returns the role of the units that report whether an object that names plugins belongs
// to this controller.
func namingRole(kind unit.Kind) unit.Role[bool] { return unit.Role[bool]("naming-" + kind) }

// DefineRoute indexes a kind of routes or backends that names plugins by annotation. Only objects for
// which all functions ours return true count.
func DefineRoute(g *unit.Graph, kind unit.Kind, ours ...func(*unit.Reader, unit.Object) bool) {
	DefineExtensible(g, kind, func(unit.Object) []string { return nil }, ours...)
}

// DefineExtensible is like DefineRoute for a kind that also names KongPlugins of its namespace in
// fields, which also returns.
func DefineExtensible(g *unit.Graph, kind unit.Kind, also func(unit.Object) []string, ours ...func(*unit.Reader, unit.Object) bool) {
	unit.DefineIndex(g, routesNaming, kind, func(object unit.Object) []types.NamespacedName {
		plugins := namedIn(object)
		for _, name := range also(object) {
			plugins = append(plugins, types.NamespacedName{Namespace: object.GetNamespace(), Name: name})
		}
		return plugins
	})
	unit.Shared(g, namingRole(kind), kind, func(r *unit.Reader, key unit.Key) (unit.Fragment, bool) {
		object := r.Get(key)
		all := object != nil
		for _, is := range ours {
			all = all && is(r, object)
		}
		return unit.Fragment{}, all
	})
}

// namedIn returns the plugins that the annotation of an object names.
func namedIn(object unit.Object) (plugins []types.NamespacedName) {
	for _, ref := range references(object) {
		plugins = append(plugins, types.NamespacedName{Namespace: ref.namespace, Name: ref.name})
	}
	return plugins
}

// referrers returns the objects of an index that name a plugin and are permitted to: those of its own
// namespace, and those that a ReferenceGrant there allows. A reference to a KongClusterPlugin has no
// namespace, so it is indexed under the referrer's.
func referrers(r *unit.Reader, index unit.Index[types.NamespacedName], plugin unit.Key, kind unit.Kind) []unit.Key {
	all := grant.Referrers(r, index, plugin)
	if kind != unit.KongClusterPlugin {
		return all
	}
	return slices.DeleteFunc(all, func(key unit.Key) bool {
		return !slices.Contains(references(r.Get(key)), reference{namespace: plugin.Namespace, name: plugin.Name})
	})
}

func gather(r *unit.Reader, plugin unit.Key, kind unit.Kind, className string) scope {
	var s scope
	for _, key := range referrers(r, consumersNaming, plugin, kind) {
		c, ok := unit.Get[*configurationv1.KongConsumer](r, key)
		if !ok || !class.Ours(r, c, className) {
			continue
		}
		if name := ConsumerName(c); name != "" && !slices.Contains(s.consumers, name) {
			s.consumers = append(s.consumers, name)
		}
	}
	if len(s.consumers) > 0 {
		return s
	}
	for _, key := range referrers(r, groupsNaming, plugin, kind) {
		if group, ok := unit.Get[*configurationv1beta1.KongConsumerGroup](r, key); ok && class.Ours(r, group, className) {
			s.group = group.Namespace + "/" + group.Name
			break
		}
	}
	return s
}

func scopeOf(r *unit.Reader, ref reference, kind unit.Kind) scope {
	return unit.Use(r, scopeRole.Of(ref.namespace, ref.name, kind))
}

// ConsumerName returns the name from which the id of a consumer in Kong is derived; empty for an
// invalid consumer.
func ConsumerName(c *configurationv1.KongConsumer) string {
	if c.Username == "" && c.CustomID != "" {
		return "custom_id:" + c.CustomID
	}
	return c.Username
}

func withoutConsumer(ref reference, p resolved) string {
	return fmt.Sprintf("plugin %s is a %s, which Kong does not allow for single consumers", ref, p.name)
}

// OfConsumer returns the plugins that a consumer, or its KongConsumerGroup, has on all routes. Plugins
// that routes or Services name too belong to those.
func OfConsumer(r *unit.Reader, object metav1.Object, key unit.Key) Attachment {
	a := attaching{reader: r, key: key, at: annotated}
	for _, ref := range a.references(object) {
		p, ok := a.resolve(ref)
		if !ok { // without permission, the object must not cause a search for the plugin's users
			continue
		}
		limited := unit.Use(r, routesRole.Of(ref.namespace, ref.name, p.kind))
		switch {
		case allowsConsumer(p.name) && !limited:
			a.add(p.model(), "plugin "+ref.String())
		case allowsConsumer(p.name):
		case limited: // it applies to all requests to those routes
			a.Verdicts = append(a.Verdicts, unit.Warning(key, condition.ReasonPluginInvalid, withoutConsumer(ref, p)).At(a.at))
		default:
			a.refuse(condition.ReasonPluginInvalid, withoutConsumer(ref, p))
		}
	}
	return a.Attachment
}
