// Package customentity translates KongCustomEntities: entities of types that plugins define, with
// Kong's own fields. Each is a unit. An entity whose parent is a plugin becomes part of each unit
// that the plugin is attached to.
//
// The objects belong to tenants, so they may only have a few types, and their fields must not
// refer to entities of other tenants.
package customentity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/translate/vault"
)

// Role is the role of units of custom entities.
const Role unit.Role[Attached] = "custom-entity"

// entities are the slots for entities without a parent, by their type and id.
const entities unit.Family[kong.Ref] = "custom entity"

// keys are the slots for what identifies a key. Kong accepts several equal ones, and finds any of
// them.
const keys unit.Family[keyInSet] = "key"

type keyInSet struct{ kid, set string }

// Attached is the value of the unit of an entity with a parent; the zero value for any other.
type Attached struct {
	// Type is empty if the entity is unavailable.
	Type string
	// Fields are a JSON object.
	Fields string
}

// Options are the operator's settings.
type Options struct {
	// Class is the entities' spec.controllerName or ingress class.
	Class   string
	Tenancy tenancy.Options
	// Vaults decide on references to secrets.
	Vaults vault.Rules
}

// Define adds the units of custom entities to a graph.
func Define(g *unit.Graph, o Options) {
	unit.Each(g, Role, unit.KongCustomEntity, func(r *unit.Reader, key unit.Key, e *configurationv1alpha1.KongCustomEntity) (unit.Fragment, Attached) {
		if e.Spec.ControllerName != o.Class && e.Annotations[class.Annotation] != o.Class {
			return unit.Fragment{}, Attached{}
		}
		f, value := o.translate(r, e, key)
		f.Verdicts = append(f.Verdicts, annotation.Ignored(e, key)...)
		return f, value
	})
	defineParents(g)
}

// safe are types that every namespace may use: their entities only affect holders of the plugin.
var safe = []string{"degraphql_routes"}

// reserved are types that other kinds cover, or that are internal to Kong.
var reserved = append([]kong.Type{
	"workspaces", "workspace_entity_counters", "parameters", "tags", "licenses", "clustering_data_planes",
	"clustering_rpc_requests", "clustering_sync_version", "clustering_sync_delta",
	// Issued by plugins to authenticated clients.
	"oauth2_tokens", "oauth2_authorization_codes", "sessions", "session_metadatas", "acme_storage",
	"ratelimiting_metrics", "response_ratelimiting_metrics",
}, kong.Types...)

// typePattern matches safe type names: a type becomes a key of the configuration.
var typePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (o Options) translate(r *unit.Reader, e *configurationv1alpha1.KongCustomEntity, key unit.Key) (unit.Fragment, Attached) {
	fields, err := o.read(r, e)
	if err == nil && e.Spec.ParentRef != nil {
		return attached(r, e, key, fields)
	}
	if err != nil {
		return invalid(key, unit.FaultOf(err, spec), "%v", err), Attached{}
	}
	entity := kong.Custom(kong.Type(e.Spec.EntityType), key.Namespace+"/"+key.Name, fields)
	claim := unit.Claim{
		Slot: entities.Slot(entity.Ref), Object: key, Since: e.CreationTimestamp.Time,
		Entities: []*kong.Entity{entity}, Lost: condition.Verdict(key, false, "Conflict", "another entity has the id "+entity.ID).At(fieldsField.Child("id")),
	}
	claims := []unit.Claim{claim}
	if found, ok := foundBy(entity.Type, fields); ok {
		slot := keys.Slot(found)
		claims[0].While = []unit.Slot{slot}
		claims = append(claims, unit.Claim{
			Slot: slot, Object: key, Since: claim.Since, While: []unit.Slot{claim.Slot},
			Lost: condition.Verdict(key, false, "Conflict", "another key has the kid "+limit.Text(found.kid, mostQuoted)).At(fieldsField.Child("kid")),
		})
	}
	return unit.Fragment{
		Status:   condition.Status{},
		Verdicts: []unit.Verdict{condition.Verdict(key, true, "Programmed", "the entity is in Kong's configuration")},
		Claims:   claims,
	}, Attached{}
}

// mostQuoted is the maximum length of a kid in messages, in bytes.
const mostQuoted = 64

// foundBy returns what identifies a key in Kong; false for other entities.
func foundBy(entityType kong.Type, fields map[string]any) (keyInSet, bool) {
	kid, ok := fields["kid"].(string)
	if entityType != "keys" || !ok {
		return keyInSet{}, false
	}
	set := fields["set"]
	if ref, ok := set.(map[string]any); ok {
		if set = ref["id"]; set == nil {
			set = ref["name"]
		}
	}
	name, _ := set.(string)
	return keyInSet{kid, name}, true
}

var (
	spec        = field.NewPath("spec")
	fieldsField = spec.Child("fields")
)

// faultAt returns an error with the fault of a field.
func faultAt(path field.Path, format string, args ...any) error {
	return unit.WithFault(fmt.Errorf(format, args...), unit.At(path))
}

func invalid(key unit.Key, f unit.Fault, format string, args ...any) unit.Fragment {
	return unit.Fragment{Status: condition.Status{},
		Verdicts: []unit.Verdict{condition.Verdict(key, false, "Invalid", fmt.Sprintf(format, args...)).With(f)}}
}

// uuidLength is the length of the UUID form that Kong accepts.
const uuidLength = 36

// read returns an entity's fields after the checks that do not depend on its type.
func (o Options) read(r *unit.Reader, e *configurationv1alpha1.KongCustomEntity) (fields map[string]any, err error) {
	name := e.Spec.EntityType
	if !ValidType(name) {
		return nil, faultAt(spec.Child("type"), "spec.type: custom entities must not have the type %q", name)
	}
	if !slices.Contains(safe, name) && !slices.Contains(o.Tenancy.CustomEntityTypes, name) {
		return nil, faultAt(spec.Child("type"), "spec.type: entities of type %q are not permitted; allowed are %s, and the setting CUSTOM_ENTITY_TYPES permits more",
			name, strings.Join(append(slices.Clone(safe), o.Tenancy.CustomEntityTypes...), ", "))
	}
	if err := r.Limits().Config("", e.Spec.Fields.Raw); err != nil {
		return nil, faultAt(fieldsField, "spec.fields: %w", err)
	}
	if json.Unmarshal(e.Spec.Fields.Raw, &fields) != nil || fields == nil {
		return nil, faultAt(fieldsField, "spec.fields is not an object")
	}
	fields = kong.WithoutNulls(fields)
	if id := fields["id"]; id != nil {
		if text, ok := id.(string); !ok || len(text) != uuidLength || uuid.Validate(text) != nil {
			return nil, faultAt(fieldsField.Child("id"), "spec.fields.id is not a UUID")
		}
	}
	if err := ownFields(fields); err != nil {
		return nil, err
	}
	if err := o.Tenancy.CheckLuaFields(fieldsField, fields); err != nil {
		return nil, err
	}
	return fields, o.Vaults.Check(r, e.Namespace, fieldsField, fields)
}

// ValidType reports whether custom entities can have a type.
func ValidType(name string) bool {
	return typePattern.MatchString(name) && !slices.Contains(reserved, kong.Type(name))
}

// foreign are fields in which Kong's entities refer to others or to workspaces.
var foreign = []string{
	"service", "route", "consumer", "consumer_group", "upstream", "target", "certificate", "client_certificate",
	"ca_certificate", "ca_certificates", "sni", "plugin", "vault", "workspace", "ws_id",
}

// ownFields returns an error for a field that could affect another namespace.
func ownFields(fields map[string]any) error {
	for _, name := range foreign {
		if fields[name] != nil {
			return faultAt(fieldsField.Child(name), "spec.fields.%s refers to an entity of Kong, which may belong to another namespace; "+
				"name a plugin in spec.parentRef instead, and the entity refers to each holder of the plugin", name)
		}
	}
	tags, _ := fields["tags"].([]any)
	for _, tag := range tags {
		if text, ok := tag.(string); ok && strings.HasPrefix(text, kong.OwnTag) {
			return faultAt(fieldsField.Child("tags"), "spec.fields.tags: tags that start with %s are reserved for the object of an entity", kong.OwnTag)
		}
	}
	return nil
}
