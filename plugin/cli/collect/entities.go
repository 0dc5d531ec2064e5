package collect

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// open are the types of entities whose strings are not secret. Those of other types are hidden, but
// for the names that identify them.
var open = []kong.Type{kong.SNIs, kong.Services, kong.Upstreams, kong.Targets, kong.Consumers, kong.ConsumerGroups, kong.ConsumerGroupMembers, kong.ACLs}

// identifying are the fields that name an entity and its place.
var identifying = []string{"id", "name", "tags", "consumer", "service", "route", "upstream", "certificate", "protocols", "instance_name", "prefix"}

// entities returns the configuration of a graph without secrets.
func (r redactor) entities(graph *unit.Graph) ([]byte, error) {
	var all []*kong.Entity
	for view := range graph.Units() {
		all = append(all, view.Entities...)
	}
	out := map[kong.Type][]map[string]any{}
	for _, e := range kong.Sorted(all) {
		var fields map[string]any
		if err := json.Unmarshal(e.JSON, &fields); err != nil {
			return nil, fmt.Errorf("%s %s: %w", e.Type, e.ID, err)
		}
		r.entity(e, fields)
		out[e.Type] = append(out[e.Type], fields)
	}
	return json.MarshalIndent(out, "", " ")
}

func (r redactor) entity(e *kong.Entity, fields map[string]any) {
	for name, value := range fields {
		switch {
		case slices.Contains(identifying, name):
		case e.Type == kong.Plugins && name == "config" && !e.Secret:
			fields[name] = r.hideUnlessPublic(value)
		case e.Type == kong.Routes:
			// Expressions have the values of headers, which the objects show without.
			if name == "expression" {
				fields[name] = withoutLiterals(value)
			}
		case e.Secret || !slices.Contains(open, e.Type):
			fields[name] = r.hide(value)
		}
	}
}

// decoded returns what base64 encodes, or the text itself.
func decoded(text string) string {
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
		return string(plain)
	}
	return text
}
