package adminapi

import (
	"regexp"
	"slices"
	"strings"
)

// All code that reads the English of Kong's messages is in this file. Each comment names the function
// of Kong, or of its plugin kube-sync-delta, that makes the message.

const (
	// mustBeNull is Kong's message about a nested entity's reference to its parent, when another
	// fault makes Kong validate a configuration a second time: extract_null_errors in
	// db/schema/others/declarative_config.lua.
	mustBeNull = "value must be null"
	// UnknownField is Kong's message about a field, or a type of entities, that it does not have:
	// resolve_field in db/schema/init.lua.
	UnknownField = "unknown field"
	// PrimaryKey is the name of the id in the companion's messages: index in check.lua.
	PrimaryKey = "primary key"
)

// IsConflict reports whether the entity is refused because of another one: uniqueness_error_msg in
// db/schema/others/declarative_config.lua, and index and check_unique in check.lua of the
// companion.
func (r RefusedEntity) IsConflict() bool { return r.says("uniqueness violation") }

// ContestedField returns the field that Kong's message about a conflict names.
func (r RefusedEntity) ContestedField() string {
	for _, message := range r.Messages {
		if found := contestedPattern.FindStringSubmatch(message); found != nil {
			return found[1]
		}
	}
	return ""
}

var contestedPattern = regexp.MustCompile(`uniqueness violation: '[^']*' entity with (.+?) set to '`)

// InUse reports whether an entity cannot be deleted because others refer to it. The delta lacks
// those others; no object is at fault. See check_deletes in check.lua of the companion.
func (e *RefusedError) InUse() bool {
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

// saysNoBody recognizes the answer to a request whose body nginx did not keep in memory:
// hydrate_config_from_request in api/routes/config.lua.
func saysNoBody(message string) bool {
	return strings.Contains(message, "expected a declarative configuration")
}

// saysDiskIsFull recognizes the answer when a configuration does not fit on the disk: POST
// /kube-sync/delta in apply.lua of the companion.
func saysDiskIsFull(message string) bool { return strings.Contains(message, "disk") }

// saysMapIsFull recognizes the answer when a configuration does not fit into LMDB: POST /config in
// api/routes/config.lua, and apply.lua of the companion. Call [saysDiskIsFull] first.
func saysMapIsFull(message string) bool { return strings.Contains(message, "LMDB") }

// quotedSecret matches the message about a key that exists twice, which quotes the key:
// uniqueness_error_msg in db/schema/others/declarative_config.lua, and check_unique in check.lua of
// the companion.
var quotedSecret = regexp.MustCompile(`(with (?:key|secret|password|client_secret|access_token|refresh_token) set to ')[^']*'`)

// redact removes the secrets that a message quotes. Messages end up in Events and logs.
func redact(message string) string {
	return quotedSecret.ReplaceAllString(message, "$1***'")
}

// quotedValue matches the values that Kong's messages quote: validation_errors in
// db/schema/init.lua, validate_host and validate_tag in db/schema/typedefs.lua, and validate_uri in
// plugins/oauth2/daos.lua.
var quotedValue = regexp.MustCompile(`'[^']*'|"[^"]*"|(invalid value: |cannot parse |invalid tag ).*`)

// WithoutValues removes the values that a message quotes and keeps the field in front of them. It
// is for entities whose fields come from a Secret.
func WithoutValues(message string) string {
	field, said, ok := strings.Cut(message, ": ")
	if !ok {
		return quotedValue.ReplaceAllString(message, "$1***")
	}
	return field + ": " + quotedValue.ReplaceAllString(said, "$1***")
}
