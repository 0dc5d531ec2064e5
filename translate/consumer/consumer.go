package consumer

import (
	"fmt"
	"slices"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The roles of units of consumers.
const (
	Role      unit.Role[unit.None] = "consumer"
	GroupRole unit.Role[unit.None] = "consumer-group"
)

// Define adds the units of consumers of a class to a graph.
func Define(g *unit.Graph, className string, o tenancy.Options) {
	defineTenants(g, o)
	unit.Each(g, Role, unit.KongConsumer, unit.Valueless(func(r *unit.Reader, key unit.Key, c *configurationv1.KongConsumer) unit.Fragment {
		if !class.Ours(r, c, className) {
			return unit.Fragment{Verdicts: class.Missing(c, key, className)}
		}
		t := &translation{reader: r, consumer: c, key: key, tenancy: o, allowance: kong.NewAllowance(r.Limits())}
		t.translate(className)
		t.fragment.Status = condition.Status{}
		return t.fragment
	}))
	unit.Each(g, GroupRole, unit.KongConsumerGroup, unit.Valueless(func(r *unit.Reader, key unit.Key, group *configurationv1beta1.KongConsumerGroup) unit.Fragment {
		if !class.Ours(r, group, className) {
			return unit.Fragment{Verdicts: class.Missing(group, key, className)}
		}
		return unit.Fragment{Status: condition.Status{}, Verdicts: []unit.Verdict{
			condition.Verdict(key, false, "NotSupported", "only Kong Enterprise has consumer groups"),
		}}
	}))
}

// translation is the translation of one consumer.
type translation struct {
	reader   *unit.Reader
	consumer *configurationv1.KongConsumer
	key      unit.Key
	tenancy  tenancy.Options
	fragment unit.Fragment

	model      route.Consumer
	names      []unit.Slot // the consumer's names
	hasPlugins bool        // for all its requests
	allowance  *kong.Allowance
}

func (t *translation) translate(className string) {
	values := annotation.Of(t.consumer, t.key)
	t.model = route.Consumer{
		Name: plugin.ConsumerName(t.consumer), Username: t.consumer.Username, CustomID: t.consumer.CustomID,
	}
	t.model.Tags = kong.Tags(t.consumer, configurationv1.SchemeGroupVersion.WithKind("KongConsumer"), values.UserTags(t.consumer.Spec.Tags...)...)
	t.fragment.Verdicts = append(values.Verdicts, annotation.Ignored(t.consumer, t.key, annotation.Tags, annotation.Plugins)...)
	if t.model.Name == "" {
		t.failed(unit.At(field.NewPath("username")), "Invalid", "%s has neither a username nor a custom_id", t.key)
		return
	}
	if len(t.consumer.ConsumerGroups) > 0 {
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, "FieldIgnored",
			"consumerGroups has no effect: only Kong Enterprise has consumer groups").At(field.NewPath("consumerGroups")))
	}
	t.claimNames()
	for i, secret := range t.consumer.Credentials {
		if where := (kong.Part{Name: "credential " + secret, Path: field.NewPath("credentials").Index(i)}); !t.allowance.Spent(where) {
			t.credential(secret, where)
		}
	}
	for _, problem := range t.allowance.Problems() {
		t.failed(unit.At(problem.Path), "ObjectTooLarge", "%s", problem.Message)
	}
	limited := t.limit(className)
	if !slices.ContainsFunc(t.fragment.Verdicts, func(v unit.Verdict) bool { return v.Condition != "" }) {
		t.fragment.Verdicts = append(t.fragment.Verdicts, condition.Verdict(t.key, true, "Programmed", "the consumer is in Kong's configuration"+limited))
	}
}

// failed adds a verdict that sets the condition Programmed to false.
func (t *translation) failed(f unit.Fault, reason, format string, args ...any) {
	t.fragment.Verdicts = append(t.fragment.Verdicts, condition.Verdict(t.key, false, reason, fmt.Sprintf(format, args...)).With(f))
}

// The slots for the names of consumers, which are unique.
const (
	usernames unit.Family[string] = "consumer username"
	customIDs unit.Family[string] = "consumer custom_id"
)

// claimNames claims the consumer's names. Its entities require all of them.
func (t *translation) claimNames() {
	var at []field.Path // the fields of the names
	add := func(family unit.Family[string], name, of string) {
		t.names, at = append(t.names, family.Slot(name)), append(at, field.NewPath(of))
	}
	if t.consumer.Username != "" {
		add(usernames, t.consumer.Username, "username")
	}
	if t.model.Name != t.consumer.Username {
		// The id in Kong derives from this name, which may be another consumer's username.
		add(usernames, t.model.Name, "custom_id")
	}
	if t.consumer.CustomID != "" {
		add(customIDs, t.consumer.CustomID, "custom_id")
	}
	for i, slot := range t.names {
		claim := t.claim(slot, fmt.Sprintf("another object has the %s %v", slot.Family, slot.Key), at[i])
		if i == 0 {
			claim.Entities = append(claim.Entities, t.entities()...)
		}
		t.fragment.Claims = append(t.fragment.Claims, claim)
	}
}

// claim returns a claim that requires the consumer's names.
func (t *translation) claim(slot unit.Slot, lost string, at field.Path) unit.Claim {
	return unit.Claim{
		Slot: slot, Object: t.key, Since: t.consumer.CreationTimestamp.Time, While: t.names,
		Lost: condition.Verdict(t.key, false, "Conflict", lost).At(at),
	}
}

var pluginsField = annotation.Field(annotation.Plugins)

// entities returns the consumer and its plugins.
func (t *translation) entities() []*kong.Entity {
	consumer := kong.Consumer(t.model)
	entities := []*kong.Entity{consumer}
	attached := plugin.OfConsumer(t.reader, t.consumer, t.key)
	for _, v := range attached.Verdicts {
		v.Condition = condition.Programmed
		t.fragment.Verdicts = append(t.fragment.Verdicts, v)
	}
	for _, p := range attached.Plugins {
		if err := t.tenancy.CheckConsumerPlugin(p.Name, p.Config); err != nil {
			t.failed(unit.At(pluginsField), "PluginInvalid", "plugin %s: %v; requests are answered with 503", p.Name, err)
			attached.Refuse = "a plugin of the consumer is not available"
		}
	}
	plugins, refuse := t.allowance.Guard(attached.Plugins, attached.Refuse, kong.Part{Name: "consumer", Path: pluginsField})
	if refuse != "" {
		return append(entities, kong.Refusal(refuse, t.model.Tags, consumer.Ref, t.model.Name))
	}
	t.hasPlugins = len(plugins) > 0
	for _, p := range plugins {
		entities = append(append(entities, kong.Guarded(p, consumer.Ref, t.model.Name)), kong.PluginEntities(p, consumer.Ref, t.model.Name)...)
	}
	t.allowance.Take(entities, kong.Part{Name: "consumer", Path: pluginsField})
	return entities
}
