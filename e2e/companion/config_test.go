package companion

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

// entity is an entity in the flat declarative format, with its id, and with references as ids.
type entity map[string]any

// config is a configuration: entities by kind and id.
type config map[string]map[string]entity

// put adds or replaces an entity.
func (c config) put(kind string, e entity) {
	if c[kind] == nil {
		c[kind] = map[string]entity{}
	}
	c[kind][e["id"].(string)] = e
}

func (c config) remove(kind, id string) { delete(c[kind], id) }

// clone returns a copy. The entities are shared, because they are replaced and never changed.
func (c config) clone() config {
	copied := config{}
	for kind, entities := range c {
		copied[kind] = maps.Clone(entities)
	}
	return copied
}

// ids returns the ids of a kind, sorted.
func (c config) ids(kind string) []string { return slices.Sorted(maps.Keys(c[kind])) }

// body returns the body for POST /config.
func (c config) body() []byte {
	document := map[string]any{"_format_version": "3.0"}
	for kind := range c {
		var list []entity
		for _, id := range c.ids(kind) {
			list = append(list, c[kind][id])
		}
		if list != nil {
			document[kind] = list
		}
	}
	body, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return body
}

func (c config) hash() string { return digest(c.body()) }

// delta is the body for POST /kube-sync/delta.
type delta struct {
	Base    string              `json:"base"`
	Hash    string              `json:"hash"`
	Upserts map[string][]entity `json:"upserts,omitempty"`
	Deletes []deletion          `json:"deletes,omitempty"`
}

type deletion struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func (d delta) json() []byte {
	body, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return body
}

// difference returns the delta from one configuration to another.
func difference(from, to config) delta {
	d := delta{Base: from.hash(), Hash: to.hash(), Upserts: map[string][]entity{}}
	for kind := range to {
		for _, id := range to.ids(kind) {
			if old, ok := from[kind][id]; !ok || !reflect.DeepEqual(old, to[kind][id]) {
				d.Upserts[kind] = append(d.Upserts[kind], to[kind][id])
			}
		}
	}
	for kind := range from {
		for _, id := range from.ids(kind) {
			if _, ok := to[kind][id]; !ok {
				d.Deletes = append(d.Deletes, deletion{kind, id})
			}
		}
	}
	return d
}

// stored returns Kong's configuration, without timestamps.
func (k *kong) stored() map[string]map[string]any {
	k.t.Helper()
	_, exported, _ := ask[struct{ Config string }](k, "GET", "/config", "application/json", nil)
	var document map[string]any
	if err := yaml.Unmarshal([]byte(exported.Config), &document); err != nil {
		k.t.Fatalf("GET /config: %v", err)
	}
	stored := map[string]map[string]any{}
	for kind, list := range document {
		entities, ok := list.([]any)
		if !ok {
			continue
		}
		stored[kind] = map[string]any{}
		for _, e := range entities {
			e := e.(map[string]any)
			delete(e, "created_at")
			delete(e, "updated_at")
			stored[kind][e["id"].(string)] = e
		}
	}
	return stored
}

// sameStored fails where two stored configurations differ.
func sameStored(t testing.TB, deltas, full map[string]map[string]any) {
	t.Helper()
	for kind := range full {
		for id := range full[kind] {
			if !reflect.DeepEqual(deltas[kind][id], full[kind][id]) {
				t.Errorf("%s %s:\nthrough deltas: %v\nthrough a full load: %v", kind, id, deltas[kind][id], full[kind][id])
			}
		}
	}
	for kind := range deltas {
		for id := range deltas[kind] {
			if _, ok := full[kind][id]; !ok {
				t.Errorf("%s %s is there through deltas only: %v", kind, id, deltas[kind][id])
			}
		}
	}
}
