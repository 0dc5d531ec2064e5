package declarative

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Refusal is Kong's answer to a configuration that it rejects.
type Refusal struct {
	Code    int            `json:"code"`
	Name    string         `json:"name"`
	Message string         `json:"message"`
	Fields  map[string]any `json:"fields"`
	// Flattened is nil unless the request has flatten_errors. Like Kong, Flattened encodes
	// an empty list as an empty object.
	Flattened any `json:"flattened_errors,omitempty"`

	refused  []Refused
	entities bool // whether the errors are of entities
}

// Refused is an entity with its errors.
type Refused struct {
	Type   string       `json:"entity_type"`
	ID     string       `json:"entity_id,omitempty"`
	Name   string       `json:"entity_name,omitempty"`
	Tags   []string     `json:"entity_tags,omitempty"`
	Entity Entity       `json:"entity"`
	Errors []FieldError `json:"errors"`

	collection string
	index      int
}

// FieldError is an error of a field, or of the entity as a whole.
type FieldError struct {
	Type    string `json:"type"` // "field" or "entity"
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (r *Refusal) Error() string { return r.Message }

// Flatten returns the refusal in the form of flatten_errors. Errors of entities are then
// not in Fields. Errors that Kong cannot attribute, such as broken references, are lost.
func (r *Refusal) Flatten() *Refusal {
	flat := *r
	flat.Fields = maps.Clone(r.Fields)
	for _, collection := range collections {
		if r.entities {
			delete(flat.Fields, collection)
		}
	}
	if flat.Flattened = r.refused; len(r.refused) == 0 {
		flat.Flattened = struct{}{}
	}
	return &flat
}

// refusalOf returns the refusal for the errors of entities.
func refusalOf(refused []Refused) *Refusal {
	byCollection := map[string]map[int]map[string]any{}
	var words []string
	for _, e := range refused {
		if byCollection[e.collection] == nil {
			byCollection[e.collection] = map[int]map[string]any{}
		}
		fields := map[string]any{}
		for _, err := range e.Errors {
			fields[cmp.Or(err.Field, "@entity")] = err.Message
			words = append(words, fmt.Sprintf("%s[%d].%s: %s", e.collection, e.index+1, err.Field, err.Message))
		}
		byCollection[e.collection][e.index] = fields
	}
	r := refusalOfFields(map[string]any{}, strings.Join(words, "; "))
	for collection, byIndex := range byCollection {
		r.Fields[collection] = positions(byIndex)
	}
	r.refused, r.entities = refused, true
	return r
}

func refusalOfFields(fields map[string]any, words string) *Refusal {
	return &Refusal{
		Code: 14, Name: "invalid declarative configuration",
		Message: "declarative config is invalid: {" + words + "}",
		Fields:  fields,
	}
}

// positions lists errors by the position of the entity, null for an entity without an error.
func positions(byIndex map[int]map[string]any) []any {
	last := -1
	for i := range byIndex {
		last = max(last, i)
	}
	list := make([]any, last+1)
	for i, fields := range byIndex {
		list[i] = fields
	}
	return list
}

// refused starts the record of an entity's errors.
func refusedEntity(collection string, index int, e Entity) Refused {
	r := Refused{Type: strings.TrimSuffix(collection, "s"), Entity: e, collection: collection, index: index}
	if id, _ := e["id"].(string); isUUID(id) {
		r.ID = id
	}
	r.Name, _ = e["name"].(string)
	tags, _ := e["tags"].([]any)
	for _, t := range tags {
		s, ok := t.(string)
		if !ok {
			r.Tags = nil
			break
		}
		r.Tags = append(r.Tags, s)
	}
	return r
}

// add records an error, unless it is recorded already.
func (r *Refused) add(field, message string) {
	e := FieldError{Type: "field", Field: field, Message: message}
	if field == "" {
		e.Type = "entity"
	}
	if !slices.Contains(r.Errors, e) {
		r.Errors = append(r.Errors, e)
	}
}
