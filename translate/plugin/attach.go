package plugin

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/customentity"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Attachment holds the plugins that an object refers to.
type Attachment struct {
	Plugins []route.Plugin
	// Refuse is the message that answers all requests if a plugin is unavailable; empty otherwise.
	Refuse string
	// Verdicts are on the object.
	Verdicts []unit.Verdict
}

// reference is an object's reference to a plugin.
type reference struct {
	namespace, name string
	// explicit is whether the reference names the namespace.
	explicit bool
}

func (ref reference) String() string {
	if ref.explicit {
		return ref.namespace + ":" + ref.name
	}
	return ref.name
}

// references reads the annotation konghq.com/plugins of an object, up to one more than the limit.
func references(object metav1.Object) []reference {
	var refs []reference
	for item := range strings.SplitSeq(object.GetAnnotations()[annotation.Prefix+annotation.Plugins], ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		ref := reference{namespace: object.GetNamespace(), name: item}
		if namespace, name, ok := strings.Cut(item, ":"); ok {
			ref = reference{namespace: namespace, name: name, explicit: true}
		}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
		if len(refs) > limit.Plugins {
			break
		}
	}
	return refs
}

// Attached returns the plugins that the annotation of a route or Service names.
func Attached(r *unit.Reader, object metav1.Object, key unit.Key) Attachment {
	a := attaching{reader: r, key: key, at: annotated}
	for _, ref := range a.references(object) {
		a.attach(ref)
	}
	return a.Attachment
}

// references reads the annotation of an object, and refuses one that names too many plugins.
func (a *attaching) references(object metav1.Object) []reference {
	refs := references(object)
	if len(refs) > limit.Plugins {
		a.refuse(condition.ReasonPluginInvalid, fmt.Sprintf("annotation %s%s names more than %d plugins", annotation.Prefix, annotation.Plugins, limit.Plugins))
		return nil
	}
	return refs
}

// annotated is the path of the annotation that names plugins.
var annotated = annotation.Field(annotation.Plugins)

// Named returns a KongPlugin of a route's namespace that the route names in a field, whose path is at.
func Named(r *unit.Reader, key unit.Key, name string, at field.Path) Attachment {
	a := attaching{reader: r, key: key, at: at}
	a.attach(reference{namespace: key.Namespace, name: name, explicit: true})
	return a.Attachment
}

// With joins two attachments to one object, and adds verdicts on conflicts. At is the path of the
// field that names the other's plugins.
func (a Attachment) With(other Attachment, key unit.Key, at field.Path) Attachment {
	joined := attaching{key: key, at: at, Attachment: Attachment{
		Plugins:  slices.Clone(a.Plugins),
		Refuse:   cmp.Or(a.Refuse, other.Refuse),
		Verdicts: slices.Concat(a.Verdicts, other.Verdicts),
	}}
	for _, p := range other.Plugins {
		same := func(known route.Plugin) bool { return reflect.DeepEqual(known, p) }
		if !slices.ContainsFunc(a.Plugins, same) {
			joined.add(p, "a plugin that the object refers to elsewhere")
		}
	}
	return joined.Attachment
}

// OfStreams returns the attachment for streams, which have no consumers. Plugins for single consumers,
// or for requests only, are unavailable there.
func (a Attachment) OfStreams(key unit.Key) Attachment {
	checked := attaching{key: key, at: annotated, Attachment: Attachment{Refuse: a.Refuse, Verdicts: a.Verdicts}}
	for _, p := range a.Plugins {
		switch {
		case p.Consumer != "":
			checked.refuse(condition.ReasonPluginInvalid, fmt.Sprintf("plugin %s is limited to the consumer %s, but streams have no consumers", p.Name, p.Consumer))
		case len(p.Protocols) > 0 && !slices.ContainsFunc(p.Protocols, isStream):
			checked.refuse(condition.ReasonPluginInvalid, fmt.Sprintf("plugin %s is limited to the protocols %s, but streams use tcp, tls or udp", p.Name, strings.Join(p.Protocols, ", ")))
		default:
			checked.Plugins = append(checked.Plugins, p)
		}
	}
	return checked.Attachment
}

func isStream(protocol string) bool {
	return slices.Contains([]string{"tcp", "tls", "tls_passthrough", "udp"}, protocol)
}

// attaching is the state of resolving one object's references.
type attaching struct {
	Attachment
	reader *unit.Reader
	key    unit.Key
	at     field.Path // of the references
}

// attach adds a plugin for all requests, or for each consumer that names it too.
func (a *attaching) attach(ref reference) {
	p, ok := a.resolve(ref)
	if !ok {
		return
	}
	scope := scopeOf(a.reader, ref, p.kind)
	switch {
	case !allowsConsumer(p.name):
		a.add(p.model(), "plugin "+ref.String())
	case len(scope.consumers) > 0:
		for _, name := range scope.consumers {
			limited := p.model()
			limited.Consumer = name
			a.add(limited, "plugin "+ref.String())
		}
	case scope.group != "":
		a.refuse("ConsumerGroupNotSupported", fmt.Sprintf(
			"plugin %s is limited to KongConsumerGroup %s, but only Kong Enterprise has consumer groups", ref, scope.group))
	default:
		a.add(p.model(), "plugin "+ref.String())
	}
}

// add adds a plugin, which what names in messages. Kong allows only one of a name for the same requests.
func (a *attaching) add(p route.Plugin, what string) {
	clash := slices.ContainsFunc(a.Plugins, func(other route.Plugin) bool {
		return other.Name == p.Name && other.Consumer == p.Consumer
	})
	if clash {
		a.refuse("PluginConflict", fmt.Sprintf("%s is a second %s for the same requests; only one is possible", what, p.Name))
		return
	}
	a.Plugins = append(a.Plugins, p)
}

// resolve returns the plugin of a reference. If it is unavailable, all requests are refused.
func (a *attaching) resolve(ref reference) (resolved, bool) {
	named := unit.KongPlugin.Key(ref.namespace, ref.name)
	if ref.explicit && !grant.Allows(a.reader, a.key, named) {
		a.fault(unit.Lacking(a.at, grant.Missing(named)), "RefNotPermitted", fmt.Sprintf("plugin %s is in another namespace, and no ReferenceGrant there allows the reference", ref))
		return resolved{}, false
	}
	p := unit.Use(a.reader, Role.Of(ref.namespace, ref.name))
	if !p.found && !ref.explicit {
		p = unit.Use(a.reader, ClusterRole.Of("", ref.name))
	}
	if p.found && p.kind == unit.KongClusterPlugin {
		p.custom = customentity.OfClusterPlugin(a.reader, ref.name, a.key.Namespace)
	}
	if p.found {
		condition.Use(a.reader, p.key(ref))
		for _, c := range p.custom {
			condition.Use(a.reader, unit.KongCustomEntity.Key(c.Namespace, c.Name))
		}
	}
	switch {
	case !p.found:
		a.fault(unit.Lacking(a.at, named), "PluginNotFound", fmt.Sprintf("plugin %s does not exist", ref))
	case p.reason != "":
		a.fault(unit.Lacking(a.at, p.missing), p.reason, p.message)
	}
	return p, p.found && p.reason == ""
}

// key returns the key of a reference's plugin.
func (p resolved) key(ref reference) unit.Key {
	if p.kind == unit.KongClusterPlugin {
		return p.kind.Key("", ref.name)
	}
	return unit.KongPlugin.Key(ref.namespace, ref.name)
}

func (a *attaching) refuse(reason, message string) { a.fault(unit.At(a.at), reason, message) }

func (a *attaching) fault(f unit.Fault, reason, message string) {
	a.Refuse = "a plugin that protects this is not available"
	a.Verdicts = append(a.Verdicts, unit.Warning(a.key, reason, message+"; requests are answered 503 rather than sent on without it").With(f))
}
