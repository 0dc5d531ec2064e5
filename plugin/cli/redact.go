package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// hidden replaces a secret.
const hidden = "***"

// publicFields are the fields that are not secret in entities made from Secrets.
var publicFields = map[kong.Type][]string{
	kong.Certificates: {"cert", "cert_alt"},
	kong.KeyAuths:     {"ttl"},
	kong.BasicAuths:   {"username"},
	kong.HMACAuths:    {"username"},
	kong.JWTs:         {"algorithm"},
	kong.ACLs:         {"group"},
	kong.OAuth2s:      {"name", "client_id", "redirect_uris", "hash_secret", "client_type"},
}

// identifying are the fields that identify an entity and its place.
var identifying = []string{"id", "name", "tags", "consumer", "service", "route", "enabled", "protocols", "instance_name"}

// secretField matches names of fields in which people write secrets outside of Secrets: in the
// configurations of plugins and vaults, and in entities of any type.
var secretField = regexp.MustCompile(`(?i)(^|_)(password|passphrase|secret|token|aws_key|private_key|api_?key)s?$`)

// redact replaces entities with copies without their secrets.
func redact(entities []*kong.Entity) error {
	for i, e := range entities {
		var err error
		if entities[i], err = redacted(e); err != nil {
			return fmt.Errorf("%s %s: %w", e.Type, e.ID, err)
		}
	}
	return nil
}

// redacted returns a copy of an entity without its secrets.
func redacted(e *kong.Entity) (*kong.Entity, error) {
	var fields map[string]any
	if err := json.Unmarshal(e.JSON, &fields); err != nil {
		return nil, err
	}
	ofSecret, fromSecret := publicFields[e.Type]
	for name, value := range fields {
		switch {
		case slices.Contains(identifying, name) || slices.Contains(ofSecret, name) && !holdsPrivateKey(value):
		case fromSecret || e.Secret:
			fields[name] = hide(value)
		default:
			fields[name] = hideNamed(name, value)
		}
	}
	out := *e
	var err error
	out.JSON, err = json.Marshal(fields)
	return &out, err
}

// holdsPrivateKey reports whether a value has a private key, which people put beside the
// certificate.
func holdsPrivateKey(value any) bool {
	text, ok := value.(string)
	return ok && strings.Contains(text, "PRIVATE KEY")
}

// hide replaces all values and keeps the structure, so that it still shows which fields are set.
func hide(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			value[name] = hide(value[name])
		}
		return value
	case []any:
		for i := range value {
			value[i] = hide(value[i])
		}
		return value
	case nil:
		return nil
	}
	return hidden
}

// hideNamed replaces the values of fields whose names say that they are secret.
func hideNamed(name string, value any) any {
	if secretField.MatchString(name) {
		return hide(value)
	}
	switch value := value.(type) {
	case map[string]any:
		for name := range value {
			value[name] = hideNamed(name, value[name])
		}
	case []any:
		for i := range value {
			value[i] = hideNamed("", value[i])
		}
	}
	return value
}
