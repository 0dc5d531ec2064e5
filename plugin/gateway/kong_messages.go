package gateway

import (
	"regexp"
	"slices"
	"strings"
)

// This file holds all that reads the English of Kong's messages. Each names the function of Kong,
// or of its plugin kube-sync-delta, that makes the message.

const (
	// mustBeNull is Kong's message on a nested entity's reference to its parent, once it validates
	// a configuration a second time because of another fault: extract_null_errors in
	// db/schema/others/declarative_config.lua.
	mustBeNull = "value must be null"
	// unknownField is Kong's message on a field, or a type of entities, that it does not have:
	// resolve_field in db/schema/init.lua.
	unknownField = "unknown field"
	// primaryKey is the name of the id in the companion's messages: index in check.lua.
	primaryKey = "primary key"
)

// conflict reports whether the entity is refused because of another one: uniqueness_error_msg in
// db/schema/others/declarative_config.lua, and index and check_unique in check.lua of the companion.
func (r RefusedEntity) conflict() bool { return r.says("uniqueness violation") }

// contested returns the field that Kong's message of a conflict names.
func (r RefusedEntity) contested() field {
	for _, message := range r.Messages {
		if found := contestedField.FindStringSubmatch(message); found != nil {
			return field{r.Type, found[1]}
		}
	}
	return field{typ: r.Type}
}

var contestedField = regexp.MustCompile(`uniqueness violation: '[^']*' entity with (.+?) set to '`)

// saysInUse reports whether an entity cannot be deleted because others refer to it. It is no fault
// of an object: the delta lacks those others. See check_deletes in check.lua of the companion.
func (e *RefusedError) saysInUse() bool {
	return slices.ContainsFunc(e.Entities, func(r RefusedEntity) bool { return r.says("cannot be deleted: ") })
}

func (r RefusedEntity) says(words string) bool {
	return slices.ContainsFunc(r.Messages, func(message string) bool { return strings.Contains(message, words) })
}

// saysDatabase recognizes the answer of a Kong with a database: POST /config in
// api/routes/config.lua.
func saysDatabase(message string) bool {
	return strings.Contains(message, "only available when Kong is configured to not use a database")
}

// saysNoBody recognizes the answer to a request whose body Kong does not have in memory:
// hydrate_config_from_request in api/routes/config.lua.
func saysNoBody(message string) bool {
	return strings.Contains(message, "expected a declarative configuration")
}

// saysDiskIsFull recognizes the answer to what does not fit on the disk: the answers to POST
// /kube-sync/delta in apply.lua of the companion.
func saysDiskIsFull(message string) bool { return strings.Contains(message, "disk") }

// saysMapIsFull recognizes the answer to what does not fit into LMDB: POST /config in
// api/routes/config.lua, and apply.lua of the companion. [saysDiskIsFull] comes first.
func saysMapIsFull(message string) bool { return strings.Contains(message, "LMDB") }

// quotedSecret is in the message on a key that exists twice, which quotes the key:
// uniqueness_error_msg in db/schema/others/declarative_config.lua, and check_unique in
// check.lua of the companion.
var quotedSecret = regexp.MustCompile(`(with (?:key|secret|password|client_secret|access_token|refresh_token) set to ')[^']*'`)

// redact returns a message without the secrets that it quotes. Messages end up in Events and logs.
func redact(message string) string {
	return quotedSecret.ReplaceAllString(message, "$1***'")
}

// quotedValue is what Kong's messages quote of a value that it refuses: validation_errors in
// db/schema/init.lua, validate_host and validate_tag in db/schema/typedefs.lua, and validate_uri in
// plugins/oauth2/daos.lua.
var quotedValue = regexp.MustCompile(`'[^']*'|"[^"]*"|(invalid value: |cannot parse |invalid tag ).*`)

// withoutValues returns a message about an entity whose fields are of a Secret without the values
// that it quotes. The field in front of it stays.
func withoutValues(message string) string {
	field, said, ok := strings.Cut(message, ": ")
	if !ok {
		return quotedValue.ReplaceAllString(message, "$1***")
	}
	return field + ": " + quotedValue.ReplaceAllString(said, "$1***")
}
