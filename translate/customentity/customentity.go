// Package customentity translates KongCustomEntities: entities that plugins bring along,
// in the words of Kong. Each is a unit.
package customentity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of units of custom entities.
const Role unit.Role = "custom-entity"

// Define adds the units of custom entities whose controller is a class to a graph.
func Define(g *unit.Graph, className string) {
	g.Define(unit.Definition{Role: Role, Kind: unit.KongCustomEntity, EachObject: true, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
		key := unit.Key{Kind: unit.KongCustomEntity, Namespace: id.Namespace, Name: id.Name}
		e, ok := unit.Get[*configurationv1alpha1.KongCustomEntity](r, key)
		if !ok || e.Spec.ControllerName != className {
			return unit.Fragment{}
		}
		f := unit.Fragment{Status: condition.Status{}}
		entity, err := translate(e, key)
		if err != nil {
			f.Verdicts = []unit.Verdict{condition.Verdict(key, false, "Invalid", err.Error())}
			return f
		}
		f.Verdicts = []unit.Verdict{condition.Verdict(key, true, "Programmed", "the entity is in Kong's configuration")}
		f.Claims = []unit.Claim{{
			Slot: "custom " + string(entity.Type) + " " + entity.ID, Object: key, Since: e.CreationTimestamp.Time,
			Entities: []*kong.Entity{entity}, Lost: condition.Verdict(key, false, "Conflict", "another entity has the id "+entity.ID),
		}}
		return f
	}})
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

func translate(e *configurationv1alpha1.KongCustomEntity, key unit.Key) (*kong.Entity, error) {
	t := kong.Type(e.Spec.EntityType)
	if !typePattern.MatchString(e.Spec.EntityType) || slices.Contains(reserved, t) {
		return nil, fmt.Errorf("there are no custom entities of type %q", e.Spec.EntityType)
	}
	if e.Spec.ParentRef != nil {
		return nil, fmt.Errorf("parentRef is not supported: name the service, route or consumer by its id in the fields")
	}
	var fields map[string]any
	if json.Unmarshal(e.Spec.Fields.Raw, &fields) != nil || fields == nil {
		return nil, fmt.Errorf("the fields are not an object")
	}
	return kong.Custom(t, key.Namespace+"/"+key.Name, fields), nil
}
