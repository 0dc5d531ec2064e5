package plugin

import (
	"slices"
	"strings"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Indexes of what names a plugin, by the plugin's namespace and name.
const (
	consumersNaming unit.Kind = "KongConsumer naming KongPlugin"
	groupsNaming    unit.Kind = "KongConsumerGroup naming KongPlugin"
	routesNaming    unit.Kind = "route naming KongPlugin"
)

// Units that gather those, so that users of a plugin are translated again only if the
// outcome is another.
const (
	scopeRole  unit.Role = "plugin-consumers"
	routesRole unit.Role = "plugin-routes"
)

// scope tells which consumers a plugin is limited to where routes or Services name it.
type scope struct {
	consumers string // names in Kong, one a line
	group     string // one of the groups, if there are any and no consumers
}

func defineRelations(g *unit.Graph, className string) {
	defineIndex(g, unit.KongConsumer, consumersNaming, namedIn)
	defineIndex(g, unit.KongConsumerGroup, groupsNaming, namedIn)
	DefineRoute(g, unit.Service)
	DefineRoute(g, unit.Ingress, func(r *unit.Reader, object unit.Object) bool {
		ingress, ok := object.(*networkingv1.Ingress)
		return ok && class.OursIngress(r, ingress, className)
	})
	g.Define(unit.Definition{Role: scopeRole, Kind: unit.KongPlugin, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
		return unit.Fragment{Value: gather(r, id, className)}
	}})
	g.Define(unit.Definition{Role: routesRole, Kind: unit.KongPlugin, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
		limited := false
		for _, key := range r.Keys(unit.Key{Kind: routesNaming, Namespace: id.Namespace, Name: id.Name}) {
			ours, _ := r.Use(unit.ID{Role: namingRole(key.Kind), Namespace: key.Namespace, Name: key.Name}).(bool)
			limited = limited || ours
		}
		return unit.Fragment{Value: limited}
	}})
}

// namingRole is of the unit that tells whether an object which names plugins is ours.
func namingRole(kind unit.Kind) unit.Role { return "naming-" + unit.Role(kind) }

// DefineRoute lets plugins know of a kind of routes, or of what routes lead to, that names
// them by annotation. Not all of its objects need to be ours.
func DefineRoute(g *unit.Graph, kind unit.Kind, ours ...func(*unit.Reader, unit.Object) bool) {
	DefineExtensible(g, kind, func(unit.Object) []string { return nil }, ours...)
}

// DefineExtensible is DefineRoute for a kind that names KongPlugins of its namespace by
// other means too.
func DefineExtensible(g *unit.Graph, kind unit.Kind, also func(unit.Object) []string, ours ...func(*unit.Reader, unit.Object) bool) {
	defineIndex(g, kind, routesNaming, func(object unit.Object) []unit.Key {
		keys := namedIn(object)
		for _, name := range also(object) {
			keys = append(keys, unit.Key{Namespace: object.GetNamespace(), Name: name})
		}
		return keys
	})
	g.Define(unit.Definition{Role: namingRole(kind), Kind: kind, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
		object := r.Get(unit.Key{Kind: kind, Namespace: id.Namespace, Name: id.Name})
		all := object != nil
		for _, is := range ours {
			all = all && is(r, object)
		}
		return unit.Fragment{Value: all}
	}})
}

func defineIndex(g *unit.Graph, kind, index unit.Kind, names func(unit.Object) []unit.Key) {
	g.DefineIndex(unit.Index{Name: index, Kind: kind, Owners: names})
}

// namedIn are the plugins that an annotation names.
func namedIn(object unit.Object) []unit.Key {
	var keys []unit.Key
	for _, ref := range references(object) {
		keys = append(keys, unit.Key{Namespace: ref.namespace, Name: ref.name})
	}
	return keys
}

func gather(r *unit.Reader, id unit.ID, className string) scope {
	var s scope
	var names []string
	for _, c := range unit.List[*configurationv1.KongConsumer](r, unit.Key{Kind: consumersNaming, Namespace: id.Namespace, Name: id.Name}) {
		if name := ConsumerName(c); name != "" && class.Ours(r, c, className) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	s.consumers = strings.Join(names, "\n")
	if s.consumers != "" {
		return s
	}
	for _, group := range unit.List[*configurationv1beta1.KongConsumerGroup](r, unit.Key{Kind: groupsNaming, Namespace: id.Namespace, Name: id.Name}) {
		if class.Ours(r, group, className) {
			s.group = group.Namespace + "/" + group.Name
			break
		}
	}
	return s
}

func scopeOf(r *unit.Reader, ref reference) scope {
	s, _ := r.Use(unit.ID{Role: scopeRole, Namespace: ref.namespace, Name: ref.name}).(scope)
	return s
}

// ConsumerName is what the id of a consumer in Kong is made of; empty for one that
// cannot be.
func ConsumerName(c *configurationv1.KongConsumer) string {
	if c.Username == "" && c.CustomID != "" {
		return "custom_id:" + c.CustomID
	}
	return c.Username
}

// OfConsumer gives the plugins that a consumer or, which comes to nothing else, its
// group has wherever it goes. Those that routes or Services name too are theirs.
func OfConsumer(r *unit.Reader, object metav1.Object, key unit.Key, kind schema.GroupKind) Attachment {
	a := attaching{reader: r, key: key, kind: kind}
	for _, ref := range references(object) {
		p, ok := a.resolve(ref)
		limited, _ := r.Use(unit.ID{Role: routesRole, Namespace: ref.namespace, Name: ref.name}).(bool)
		if ok && !limited {
			a.add(p.model(), ref.String())
		}
	}
	return a.Attachment
}
