package difference

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// State is what a graph makes at one time. It does not change when the graph does.
type State struct {
	entities map[kong.Ref]made
	// order has the keys of entities, by unit.
	order []kong.Ref
	// found are the faults of objects, and objects those that routes are made of.
	found   map[unit.Key][]unit.Verdict
	objects map[unit.Key]unit.Object
}

// made is an entity and the object of its unit.
type made struct {
	*kong.Entity
	unit unit.Key
}

// StateOf returns what a graph makes now.
func StateOf(graph *unit.Graph) State {
	s := State{entities: map[kong.Ref]made{}, found: map[unit.Key][]unit.Verdict{}, objects: map[unit.Key]unit.Object{}}
	for view := range graph.Units() {
		for _, e := range view.Entities {
			if _, twice := s.entities[e.Ref]; !twice {
				s.order = append(s.order, e.Ref)
			}
			s.entities[e.Ref] = made{e, view.Object}
		}
		if object := graph.Object(view.Object); object != nil {
			s.objects[view.Object] = object
		}
	}
	for key, verdicts := range graph.AllVerdicts() {
		s.addFaults(key, verdicts)
	}
	for key, status := range graph.Statuses() {
		s.addFaults(key, status.Diagnostics())
	}
	return s
}

func (s State) addFaults(key unit.Key, verdicts []unit.Verdict) {
	for _, v := range verdicts {
		if !v.OK {
			s.found[key] = unit.AppendNew(s.found[key], v)
		}
	}
}

// fields are the fields of an entity that this package reads.
type fields struct {
	Name       string   `json:"name"`
	Tags       []string `json:"tags"`
	Expression string   `json:"expression"`
	Service    string   `json:"service"`
	Username   string   `json:"username"`
	CustomID   string   `json:"custom_id"`
	// Config has the message of a refusal.
	Config struct {
		Message string `json:"message"`
	} `json:"config"`
}

// fieldsOf decodes the fields that this package reads. Plugins whose configuration has a message of
// another type have none.
func fieldsOf(e *kong.Entity) fields {
	var f fields
	if err := json.Unmarshal(e.JSON, &f); err != nil {
		f.Config.Message = ""
	}
	return f
}

// object returns the object that the tags name.
func (f fields) object() (key unit.Key, ok bool) {
	source := kong.TaggedSource(f.Tags)
	key = unit.Key{Kind: unit.Kind(source.Kind), Namespace: source.Namespace, Name: source.Name}
	return key, key.Kind != "" && key.Name != ""
}

// objectOf returns the object that an entity is made of: that of its tags, its source, or the object
// of its unit.
func objectOf(m made, f fields) unit.Key {
	if key, ok := f.object(); ok {
		return key
	}
	if m.Source != (kong.Source{}) {
		return unit.Kind(m.Source.Kind).Key(m.Source.Namespace, m.Source.Name)
	}
	return m.unit
}
