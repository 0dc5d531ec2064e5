package plugin

import (
	"encoding/json"
	"fmt"
	"strings"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/customentity"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/translate/vault"
)

// The roles of units of plugins.
const (
	Role        unit.Role[resolved] = "plugin"
	ClusterRole unit.Role[resolved] = "cluster-plugin"
)

const pending = "nothing of this gateway names the plugin"

// definition is what the units of plugins are made by.
type definition struct {
	tenancy.Options
	vaults vault.Rules
}

// resolved is what users of a plugin need to know of it.
type resolved struct {
	// kind tells a KongPlugin from a KongClusterPlugin.
	kind unit.Kind
	// found tells that there is one for us, whether or not it can be had.
	found           bool
	name, instance  string
	config          json.RawMessage // of all that the plugin is attached to, and never modified
	disabled        bool
	protocols, tags string // separated by commas
	// secret tells that some of the configuration is of a Secret.
	secret bool
	// custom is what comes with a KongPlugin, wherever it is.
	custom []route.Custom
	// reason and message say why there is none; they are empty when there is.
	reason, message string
	// missing is the object that does not exist and that the plugin needs.
	missing unit.Key
}

func (p resolved) model() route.Plugin {
	return route.Plugin{
		Name: p.name, Config: p.config, Instance: p.instance, Disabled: p.disabled,
		Protocols: split(p.protocols), Tags: split(p.tags), Entities: p.custom, Secret: p.secret,
	}
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// source is what both kinds have in common.
type source struct {
	object             unit.Object
	key                unit.Key
	name, instance     string
	disabled           bool
	runOn, consumerRef string
	ordered            bool
	protocols          []configurationv1.KongProtocol
	config             json.RawMessage
	from               *secretKey
	patches            []patch
}

// Define adds the units of plugins to a graph, for KongClusterPlugins of a class.
func Define(g *unit.Graph, className string, o tenancy.Options) {
	d := definition{o, vault.Rules{Class: className, Everyone: o.AllowVaults}}
	unit.Each(g, Role, unit.KongPlugin, func(r *unit.Reader, key unit.Key, p *configurationv1.KongPlugin) (unit.Fragment, resolved) {
		value, verdicts := d.resolve(r, namespaced(p, key))
		return unit.Fragment{Verdicts: verdicts, Status: condition.Attached{Pending: pending}}, value
	}).OnPanic(unavailable)
	unit.Each(g, ClusterRole, unit.KongClusterPlugin, func(r *unit.Reader, key unit.Key, p *configurationv1.KongClusterPlugin) (unit.Fragment, resolved) {
		if !class.Ours(r, p, className) {
			return unit.Fragment{Verdicts: class.Missing(p, key, className)}, resolved{}
		}
		value, verdicts := d.resolve(r, clusterWide(p, key))
		f := unit.Fragment{Verdicts: verdicts, Claims: global(p, key, value), Status: condition.Attached{Pending: pending}}
		if isGlobal(p) {
			f.Status = condition.Status{}
		}
		return f, value
	}).OnPanic(unavailable)
	defineRelations(g, className)
	defineUsernames(g)
}

// unavailable is a plugin whose translation panicked.
func unavailable(key unit.Key) resolved {
	return resolved{kind: key.Kind, found: true, reason: "PluginInvalid", message: fmt.Sprintf("plugin %s/%s could not be translated", key.Namespace, key.Name)}
}

func namespaced(p *configurationv1.KongPlugin, key unit.Key) source {
	s := source{
		object: p, key: key, name: p.PluginName, instance: p.InstanceName, disabled: p.Disabled, runOn: p.RunOn,
		consumerRef: p.ConsumerRef, ordered: p.Ordering != nil, protocols: p.Protocols, config: p.Config.Raw,
	}
	if f := p.ConfigFrom; f != nil {
		s.from = &secretKey{p.Namespace, f.SecretValue.Secret, f.SecretValue.Key}
	}
	for _, patched := range p.ConfigPatches {
		from := patched.ValueFrom.SecretValue
		s.patches = append(s.patches, patch{patched.Path, secretKey{p.Namespace, from.Secret, from.Key}})
	}
	return s
}

func clusterWide(p *configurationv1.KongClusterPlugin, key unit.Key) source {
	s := source{
		object: p, key: key, name: p.PluginName, instance: p.InstanceName, disabled: p.Disabled, runOn: p.RunOn,
		consumerRef: p.ConsumerRef, ordered: p.Ordering != nil, protocols: p.Protocols, config: p.Config.Raw,
	}
	if f := p.ConfigFrom; f != nil {
		s.from = &secretKey{f.SecretValue.Namespace, f.SecretValue.Secret, f.SecretValue.Key}
	}
	for _, patched := range p.ConfigPatches {
		from := patched.ValueFrom.SecretValue
		s.patches = append(s.patches, patch{patched.Path, secretKey{from.Namespace, from.Secret, from.Key}})
	}
	return s
}

// resolve works out a plugin, and what there is to say about it.
func (d definition) resolve(r *unit.Reader, s source) (resolved, []unit.Verdict) {
	values := annotation.Of(s.object, s.key)
	p := resolved{kind: s.key.Kind, found: true, name: s.name, instance: s.instance, disabled: s.disabled}
	protocols := make([]string, len(s.protocols))
	for i, protocol := range s.protocols {
		protocols[i] = string(protocol)
	}
	p.protocols = strings.Join(protocols, ",")
	gvk := configurationv1.SchemeGroupVersion.WithKind(string(s.key.Kind))
	p.tags = strings.Join(kong.Tags(s.object, gvk, values.UserTags()...), ",")
	verdicts := append(values.Verdicts, annotation.Ignored(s.object, s.key, annotation.Tags)...)
	verdicts = append(verdicts, s.withoutEffect()...)

	config, err := d.config(r, s)
	if err != nil {
		p.reason, p.message = "PluginInvalid", fmt.Sprintf("%s: %v", s.key, err)
		fault := s.faultOf(err)
		p.missing = fault.Missing
		return p, append(verdicts, condition.Verdict(s.key, false, "Invalid", p.message).With(fault))
	}
	if s.key.Kind == unit.KongPlugin {
		p.custom = customentity.OfPlugin(r, s.key)
	}
	p.config, p.secret = config, s.from != nil || len(s.patches) > 0
	verdicts = append(append(verdicts, s.withoutDatabase(config)...), s.framing(config)...)
	if path := d.unreachable(s, config); path != "" {
		verdicts = append(verdicts, unit.Warning(s.key, "FieldMissing",
			path.String()+" is missing, and its default is the gateway itself, which plugins of namespaces do not reach: nothing is sent").At(s.written(path)))
	}
	return p, append(verdicts, condition.Verdict(s.key, true, "Programmed", "what names the plugin has it"))
}

// faultOf is what an error about a plugin's configuration is about.
func (s source) faultOf(err error) unit.Fault {
	f := unit.FaultOf(err, s.written(configField))
	if s.from != nil && f.Field.IsIn(configField) {
		f.Field = fromField
	}
	return f
}

// written is where a field of the configuration is in the object.
func (s source) written(path field.Path) field.Path {
	if s.from != nil {
		return fromField
	}
	return path
}

// config is a plugin's configuration if the plugin may have it.
func (d definition) config(r *unit.Reader, s source) (json.RawMessage, error) {
	tree, err := s.configuration(r)
	if err == nil {
		err = r.Limits().Tree(s.name, tree)
	}
	if err != nil {
		return nil, err
	}
	if s.key.Kind == unit.KongPlugin {
		err = d.CheckPlugin(s.name, tree)
	} else {
		err = d.CheckLua(s.name, tree)
	}
	if err == nil {
		err = d.anonymous(r, s, tree)
	}
	if err == nil {
		err = d.vaults.Check(r, s.key.Namespace, configField, tree)
	}
	if err != nil {
		return nil, err
	}
	// What was checked is what Kong gets, whatever the bytes said twice.
	return json.Marshal(tree)
}

// unreachable is the field without which a KongPlugin would connect to the gateway itself.
func (d definition) unreachable(s source, config json.RawMessage) field.Path {
	var tree any
	if s.key.Kind != unit.KongPlugin || json.Unmarshal(config, &tree) != nil {
		return ""
	}
	return d.Unreachable(s.name, tree)
}

// withoutEffect tells of fields that Kong's open source edition does not have.
func (s source) withoutEffect() []unit.Verdict {
	var verdicts []unit.Verdict
	warn := func(name, why string) {
		verdicts = append(verdicts, unit.Warning(s.key, "FieldIgnored", name+" has no effect: "+why).At(field.NewPath(name)))
	}
	if s.runOn != "" {
		warn("run_on", "Kong 3 has no such field")
	}
	if s.ordered {
		warn("ordering", "only Kong Enterprise has it")
	}
	if s.consumerRef != "" {
		warn("consumerRef", "annotate the KongConsumer with konghq.com/plugins")
	}
	return verdicts
}

// withoutDatabase tells of what Kong takes and then cannot do: its configuration is in
// memory, and plugins that keep something of their own find no place for it.
func (s source) withoutDatabase(config json.RawMessage) []unit.Verdict {
	var c struct{ Storage string }
	_ = json.Unmarshal(config, &c)
	switch {
	case s.name == "oauth2":
		return []unit.Verdict{unit.Warning(s.key, "DatabaseMissing",
			"oauth2 keeps tokens in a database, of which this gateway has none: it hands out no tokens and knows none").At(pluginField)}
	case s.name == "session" && c.Storage == "kong":
		return []unit.Verdict{unit.Warning(s.key, "DatabaseMissing",
			"storage kong keeps sessions in a database, of which this gateway has none; storage cookie needs none").At(s.written(configField.Child("storage")))}
	}
	return nil
}

// isGlobal tells plugins that are for all requests.
func isGlobal(p metav1.Object) bool { return p.GetLabels()["global"] == "true" }
