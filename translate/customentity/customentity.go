// Package customentity translates KongCustomEntities: entities that plugins bring along,
// in the words of Kong. Each is a unit. One that has a plugin as its parent is in the units
// of what the plugin is attached to, once for each.
package customentity

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/google/uuid"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of units of custom entities.
const Role unit.Role = "custom-entity"

// Attached is the value of the unit of an entity that is to be where a plugin is: its zero
// for any other.
type Attached struct {
	// Type is empty if there is none to be had.
	Type string
	// Fields are a JSON object.
	Fields string
}

// Define adds the units of custom entities whose controller is a class to a graph.
func Define(g *unit.Graph, className string) {
	g.Define(unit.Definition{Role: Role, Kind: unit.KongCustomEntity, EachObject: true, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
		key := unit.Key{Kind: unit.KongCustomEntity, Namespace: id.Namespace, Name: id.Name}
		e, ok := unit.Get[*configurationv1alpha1.KongCustomEntity](r, key)
		if !ok || e.Spec.ControllerName != className && e.Annotations[class.Annotation] != className {
			return unit.Fragment{Value: Attached{}}
		}
		f := translate(r, e, key)
		f.Verdicts = append(f.Verdicts, annotation.Ignored(e, key)...)
		return f
	}})
	defineParents(g)
}

// reserved are types that other kinds are for, or that are Kong's own affair.
var reserved = append([]kong.Type{
	"workspaces", "workspace_entity_counters", "parameters", "tags", "licenses", "clustering_data_planes",
	"clustering_rpc_requests", "clustering_sync_version", "clustering_sync_delta",
	// What plugins hand out to those who prove to be somebody.
	"oauth2_tokens", "oauth2_authorization_codes", "sessions", "session_metadatas", "acme_storage",
	"ratelimiting_metrics", "response_ratelimiting_metrics",
}, kong.Types...)

// typePattern keeps a type from being anything else in a configuration.
var typePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func translate(r *unit.Reader, e *configurationv1alpha1.KongCustomEntity, key unit.Key) unit.Fragment {
	fields, err := read(e)
	if err == nil && e.Spec.ParentRef != nil {
		return attached(r, e, key, fields)
	}
	if err != nil {
		return invalid(key, "%v", err)
	}
	entity := kong.Custom(kong.Type(e.Spec.EntityType), key.Namespace+"/"+key.Name, fields)
	return unit.Fragment{
		Value: Attached{}, Status: condition.Status{},
		Verdicts: []unit.Verdict{condition.Verdict(key, true, "Programmed", "the entity is in Kong's configuration")},
		Claims: []unit.Claim{{
			Slot: "custom " + string(entity.Type) + " " + entity.ID, Object: key, Since: e.CreationTimestamp.Time,
			Entities: []*kong.Entity{entity}, Lost: condition.Verdict(key, false, "Conflict", "another entity has the id "+entity.ID),
		}},
	}
}

func invalid(key unit.Key, format string, args ...any) unit.Fragment {
	return unit.Fragment{Value: Attached{}, Status: condition.Status{},
		Verdicts: []unit.Verdict{condition.Verdict(key, false, "Invalid", fmt.Sprintf(format, args...))}}
}

// uuidLength is that of the form that Kong takes.
const uuidLength = 36

// read checks an entity as far as can be done without knowing its type.
func read(e *configurationv1alpha1.KongCustomEntity) (fields map[string]any, err error) {
	if !typePattern.MatchString(e.Spec.EntityType) || slices.Contains(reserved, kong.Type(e.Spec.EntityType)) {
		return nil, fmt.Errorf("there are no custom entities of type %q", e.Spec.EntityType)
	}
	if json.Unmarshal(e.Spec.Fields.Raw, &fields) != nil || fields == nil {
		return nil, errors.New("the fields are not an object")
	}
	if id := fields["id"]; id != nil {
		if text, ok := id.(string); !ok || len(text) != uuidLength || uuid.Validate(text) != nil {
			return nil, errors.New("spec.fields.id is not a UUID")
		}
	}
	return fields, nil
}
