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

const pending = "no object that this gateway serves refers to the plugin"

// definition holds the settings for the units of plugins.
type definition struct {
	tenancy.Options
	vaults vault.Rules
}

// resolved is the value of a plugin's unit.
type resolved struct {
	// kind is KongPlugin or KongClusterPlugin.
	kind unit.Kind
	// found is whether the plugin exists and belongs to this controller.
	found           bool
	name, instance  string
	config          json.RawMessage // shared by all entities of the plugin; must not be modified
	disabled        bool
	protocols, tags string // separated by commas
	// secret is whether a part of the configuration comes from a Secret.
	secret bool
	// custom are the KongCustomEntities of the plugin.
	custom []route.Custom
	// reason and message say why the plugin is unavailable; they are empty if it is available.
	reason, message string
	// missing is the object that an unavailable plugin needs.
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

// source holds the fields that both kinds have.
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

// Define adds the units of plugins to a graph. KongClusterPlugins and consumers need the class.
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

// unavailable returns the value of a plugin whose translation panicked.
func unavailable(key unit.Key) resolved {
	return resolved{kind: key.Kind, found: true, reason: condition.ReasonPluginInvalid, message: fmt.Sprintf("plugin %s/%s could not be translated", key.Namespace, key.Name)}
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

// resolve returns a plugin and the verdicts on it.
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
		p.reason, p.message = condition.ReasonPluginInvalid, fmt.Sprintf("%s: %v", s.key, err)
		fault := s.faultOf(err)
		p.missing = fault.Missing
		return p, append(verdicts, condition.Verdict(s.key, false, condition.ReasonInvalid, p.message).With(fault))
	}
	if s.key.Kind == unit.KongPlugin {
		p.custom = customentity.OfPlugin(r, s.key)
	}
	p.config, p.secret = config, s.from != nil || len(s.patches) > 0
	verdicts = append(append(verdicts, s.withoutDatabase(config)...), s.framing(config)...)
	if path := d.unreachable(s, config); path != "" {
		verdicts = append(verdicts, unit.Warning(s.key, "FieldMissing",
			path.String()+" is missing, so nothing is sent: its default is the gateway itself, to which KongPlugins cannot connect").At(s.written(path)))
	}
	return p, append(verdicts, condition.Verdict(s.key, true, condition.ReasonProgrammed, "Kong applies the plugin"))
}

// faultOf returns the fault of an error about a plugin's configuration.
func (s source) faultOf(err error) unit.Fault {
	f := unit.FaultOf(err, s.written(configField))
	if s.from != nil && f.Field.IsIn(configField) {
		f.Field = fromField
	}
	return f
}

// written returns the path of a field of the configuration in the object: configFrom if that is set.
func (s source) written(path field.Path) field.Path {
	if s.from != nil {
		return fromField
	}
	return path
}

// config returns a plugin's configuration after all checks.
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
	// Kong gets what was checked, even if the source has duplicate keys.
	return json.Marshal(tree)
}

// unreachable returns the missing field whose default would make a KongPlugin connect to the gateway
// itself; empty for none.
func (d definition) unreachable(s source, config json.RawMessage) field.Path {
	var tree any
	if s.key.Kind != unit.KongPlugin || json.Unmarshal(config, &tree) != nil {
		return ""
	}
	return d.Unreachable(s.name, tree)
}

// withoutEffect warns about fields that Kong's open-source edition does not have.
func (s source) withoutEffect() []unit.Verdict {
	var verdicts []unit.Verdict
	warn := func(name, why string) {
		verdicts = append(verdicts, unit.Warning(s.key, condition.ReasonFieldIgnored, name+" has no effect: "+why).At(field.NewPath(name)))
	}
	if s.runOn != "" {
		warn("run_on", "Kong 3 does not have the field")
	}
	if s.ordered {
		warn("ordering", "only Kong Enterprise has the field")
	}
	if s.consumerRef != "" {
		warn("consumerRef", "use the annotation konghq.com/plugins on the KongConsumer")
	}
	return verdicts
}

// withoutDatabase warns about plugins that Kong accepts but that need a database to store their data.
func (s source) withoutDatabase(config json.RawMessage) []unit.Verdict {
	var c struct{ Storage string }
	_ = json.Unmarshal(config, &c)
	switch {
	case s.name == "oauth2":
		return []unit.Verdict{unit.Warning(s.key, "DatabaseMissing",
			"oauth2 stores tokens in a database, which this gateway does not have: it can neither issue nor accept tokens").At(pluginField)}
	case s.name == "session" && c.Storage == "kong":
		return []unit.Verdict{unit.Warning(s.key, "DatabaseMissing",
			"storage kong stores sessions in a database, which this gateway does not have; use storage cookie").At(s.written(configField.Child("storage")))}
	}
	return nil
}

// isGlobal reports whether a plugin is for all requests.
func isGlobal(p metav1.Object) bool { return p.GetLabels()["global"] == "true" }
