package adminapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// RefusedError says that Kong does not accept a configuration. Kong keeps the one that it has.
type RefusedError struct {
	// Message is Kong's summary.
	Message string
	// Entities are the entities that Kong refused; empty if it named none.
	Entities []RefusedEntity
}

// RefusedEntity is an entity that Kong refused. ID, Name and Tags may be missing.
type RefusedEntity struct {
	Type kong.Type
	ID   string
	Name string
	Tags []string
	// Rival is the id of another entity of the same type that already has a unique value of this one;
	// empty if unknown.
	Rival string
	// Messages have Kong's words, with the field in front: "config.x: is required".
	Messages []string
	// Failed means that Kong failed to process the entity.
	Failed bool
	// Unanswered means that Kong gave no answer, and so said nothing about the entity.
	Unanswered bool
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("Kong refused the configuration (%d entities): %s", len(e.Entities), e.Message)
}

// About reports whether r describes e.
func (r RefusedEntity) About(e *kong.Entity) bool {
	return r.Type == e.Type && (r.ID == e.ID || r.ID == "" && r.Name != "" && r.Name == e.Name)
}

// Object returns the Kubernetes object in the entity's tags.
func (r RefusedEntity) Object() unit.Key {
	source := kong.TaggedSource(r.Tags)
	return unit.Key{Kind: unit.Kind(source.Kind), Namespace: source.Namespace, Name: source.Name}
}

// failure returns the error for an answer that is not a success.
func (a answer) failure() error {
	var said struct {
		Message   string          `json:"message"`
		Fields    json.RawMessage `json:"fields"`
		Flattened json.RawMessage `json:"flattened_errors"`
	}
	if json.Unmarshal(a.body, &said) != nil || said.Message == "" {
		said.Message = strings.TrimSpace(string(a.body[:min(len(a.body), 300)]))
	}
	message := shorten(redact(said.Message))

	switch a.status {
	case http.StatusBadRequest:
		if err := limit(message); err != nil {
			return err
		}
		entities := flattened(said.Flattened)
		if len(entities) == 0 {
			entities = fields(said.Fields)
		}
		return &RefusedError{Message: message, Entities: entities}
	case http.StatusRequestEntityTooLarge:
		switch {
		case saysDiskIsFull(message):
			return fmt.Errorf("%w: enlarge the volume of Kong's prefix: %s", ErrTooLarge, message)
		case saysMapIsFull(message):
			return fmt.Errorf("%w: raise Kong's setting lmdb_map_size: %s", ErrTooLarge, message)
		}
		return fmt.Errorf("%w: raise Kong's setting nginx_admin_client_max_body_size", ErrTooLarge)
	case http.StatusInternalServerError:
		return &FailedError{Status: a.status, Message: message}
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &BusyError{Status: a.status, RetryAfter: a.retryAfter, Message: message}
	case http.StatusForbidden, http.StatusUnauthorized:
		return fmt.Errorf("Kong's Admin API denies access (status %d): see Kong's setting nginx_admin_allow", a.status)
	}
	return fmt.Errorf("Kong's Admin API answered with status %d: %s", a.status, message)
}

// limit returns the error for a refusal that concerns the request itself, not its content.
func limit(message string) error {
	switch {
	case saysDatabase(message):
		return fmt.Errorf("Kong accepts a configuration only with database=off")
	case saysNoBody(message):
		// Kong does not read a body that nginx wrote to a file.
		return fmt.Errorf("%w: raise Kong's setting nginx_admin_client_body_buffer_size", ErrTooLarge)
	}
	return nil
}

// flattened reads Kong's list of refused entities. Kong writes an empty object if there are none.
func flattened(raw json.RawMessage) []RefusedEntity {
	var ignorable, entities []RefusedEntity
	for _, row := range list[struct {
		Type   string          `json:"entity_type"`
		ID     string          `json:"entity_id"`
		Name   string          `json:"entity_name"`
		Tags   json.RawMessage `json:"entity_tags"`
		Rival  string          `json:"rival_id"`
		Errors json.RawMessage `json:"errors"`
	}](raw) {
		entity := RefusedEntity{
			Type: kong.Type(strings.TrimSuffix(row.Type, "s") + "s"),
			ID:   row.ID, Name: row.Name, Tags: list[string](row.Tags), Rival: row.Rival,
		}
		onlyNull := true
		for _, fault := range list[struct {
			Field    string          `json:"field"`
			Message  any             `json:"message"`
			Messages json.RawMessage `json:"messages"`
		}](row.Errors) {
			for _, message := range append(list[any](fault.Messages), fault.Message) {
				if message == nil {
					continue
				}
				onlyNull = onlyNull && message == mustBeNull
				entity.Messages = append(entity.Messages, fieldMessage(fault.Field, message))
			}
		}
		if onlyNull && entity.Type == kong.Certificates {
			ignorable = append(ignorable, entity)
			continue
		}
		entities = append(entities, entity)
	}
	if len(entities) == 0 {
		return ignorable
	}
	return entities
}

// fields reads Kong's unflattened errors: by type, then by position, id or name. An error by
// position has neither id nor name here.
func fields(raw json.RawMessage) []RefusedEntity {
	var byType map[kong.Type]any
	if json.Unmarshal(raw, &byType) != nil {
		return nil
	}
	var entities []RefusedEntity
	for _, typ := range slices.Sorted(maps.Keys(byType)) {
		byKey, ok := byType[typ].(map[string]any)
		if !ok {
			if all := messagesIn("", byType[typ]); len(all) > 0 {
				entities = append(entities, RefusedEntity{Type: typ, Messages: all})
			}
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			entity := RefusedEntity{Type: typ, Messages: messagesIn("", byKey[key])}
			if uuid.Validate(key) == nil {
				entity.ID = key
			} else {
				entity.Name = key
			}
			entities = append(entities, entity)
		}
	}
	return entities
}

// messagesIn returns all messages in a tree of them.
func messagesIn(field string, tree any) []string {
	switch tree := tree.(type) {
	case []any:
		var all []string
		for _, branch := range tree {
			all = append(all, messagesIn(field, branch)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(tree)) {
			all = append(all, messagesIn(strings.TrimPrefix(field+"."+key, "."), tree[key])...)
		}
		return all
	case nil:
		return nil
	}
	return []string{fieldMessage(field, tree)}
}

func fieldMessage(field string, message any) string {
	text := redact(fmt.Sprint(message))
	if field == "" || field == "@entity" {
		return shorten(text)
	}
	return shorten(field + ": " + text)
}

// list reads an array. Lua writes an empty one as an object.
func list[T any](raw json.RawMessage) []T {
	var elements []T
	if json.Unmarshal(raw, &elements) != nil {
		return nil
	}
	return elements
}

// shorten bounds the length of what goes into conditions, Events and logs, and keeps it on one
// line.
func shorten(message string) string {
	const most = 1000
	if message = unit.OneLine(message); len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most], "") + "…"
}
