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
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Indexes of what names a plugin, by the plugin's namespace and name.
const (
	consumersNaming unit.Index[types.NamespacedName] = "KongConsumer naming KongPlugin"
	groupsNaming    unit.Index[types.NamespacedName] = "KongConsumerGroup naming KongPlugin"
	routesNaming    unit.Index[types.NamespacedName] = "route naming KongPlugin"
)

// Units that gather those, so that users of a plugin are translated again only if the
// outcome is another. The Sub of their ids is the kind of the plugin.
const (
	scopeRole  unit.RoleBy[unit.Kind, scope] = "plugin-consumers"
	routesRole unit.RoleBy[unit.Kind, bool]  = "plugin-routes"
)

// scope holds the consumers that a plugin is limited to where routes or Services name it.
type scope struct {
	consumers []string // names in Kong
	group     string   // one of the groups, if there are any and no consumers
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

// namingRole is of the unit that tells whether an object which names plugins is ours.
func namingRole(kind unit.Kind) unit.Role[bool] { return unit.Role[bool]("naming-" + kind) }

// DefineRoute lets plugins know of a kind of routes, or of what routes lead to, that names
// them by annotation. Not all of its objects need to be ours.
func DefineRoute(g *unit.Graph, kind unit.Kind, ours ...func(*unit.Reader, unit.Object) bool) {
	DefineExtensible(g, kind, func(unit.Object) []string { return nil }, ours...)
}

// DefineExtensible is DefineRoute for a kind that names KongPlugins of its namespace by
// other means too.
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

// namedIn are the plugins that an annotation names.
func namedIn(object unit.Object) (plugins []types.NamespacedName) {
	for _, ref := range references(object) {
		plugins = append(plugins, types.NamespacedName{Namespace: ref.namespace, Name: ref.name})
	}
	return plugins
}

// referrers are the objects of an index that name a plugin and may: those of its own
// namespace, and those that a ReferenceGrant there allows. A KongClusterPlugin is named
// without a namespace, so that it stands for a plugin of the referrer's own.
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

// ConsumerName is what the id of a consumer in Kong is made of; empty for one that
// cannot be.
func ConsumerName(c *configurationv1.KongConsumer) string {
	if c.Username == "" && c.CustomID != "" {
		return "custom_id:" + c.CustomID
	}
	return c.Username
}

func withoutConsumer(ref reference, p resolved) string {
	return fmt.Sprintf("plugin %s is a %s, which Kong does not accept for single consumers", ref, p.name)
}

// OfConsumer gives the plugins that a consumer or, which comes to nothing else, its
// group has wherever it goes. Those that routes or Services name too are theirs.
func OfConsumer(r *unit.Reader, object metav1.Object, key unit.Key) Attachment {
	a := attaching{reader: r, key: key, at: annotated}
	for _, ref := range a.references(object) {
		p, ok := a.resolve(ref)
		if !ok { // nor is it for this object to have everything that names the plugin looked through
			continue
		}
		limited := unit.Use(r, routesRole.Of(ref.namespace, ref.name, p.kind))
		switch {
		case takesConsumer(p.name) && !limited:
			a.add(p.model(), ref.String())
		case takesConsumer(p.name):
		case limited: // all requests to those routes have it
			a.Verdicts = append(a.Verdicts, unit.Warning(key, "PluginInvalid", withoutConsumer(ref, p)).At(a.at))
		default:
			a.refuse("PluginInvalid", withoutConsumer(ref, p))
		}
	}
	return a.Attachment
}
