package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
)

// hidden stands in the place of a secret.
const hidden = "***"

// public are the fields of entities made of Secrets that are no secrets.
var public = map[kong.Type][]string{
	kong.Certificates: {"cert", "cert_alt"},
	kong.KeyAuths:     {"ttl"},
	kong.BasicAuths:   {"username"},
	kong.HMACAuths:    {"username"},
	kong.JWTs:         {"algorithm"},
	kong.ACLs:         {"group"},
	kong.OAuth2s:      {"name", "client_id", "redirect_uris", "hash_secret", "client_type"},
}

// always are the fields that tell what an entity is.
var always = []string{"id", "name", "tags", "consumer", "service", "route", "enabled", "protocols", "instance_name"}

// secretField are the names under which people write secrets into what is no Secret: the
// configurations of plugins, of vaults, and of entities of any type.
var secretField = regexp.MustCompile(`(?i)(^|_)(password|passphrase|secret|token|aws_key|private_key|api_?key)s?$`)

// redact replaces entities by what they are without the secrets in them.
func redact(entities []*kong.Entity) error {
	for i, e := range entities {
		var err error
		if entities[i], err = redacted(e); err != nil {
			return fmt.Errorf("%s %s: %w", e.Type, e.ID, err)
		}
	}
	return nil
}

// redacted is an entity without the secrets in it.
func redacted(e *kong.Entity) (*kong.Entity, error) {
	var fields map[string]any
	if err := json.Unmarshal(e.JSON, &fields); err != nil {
		return nil, err
	}
	ofSecret, fromSecret := public[e.Type]
	for name, value := range fields {
		switch {
		case slices.Contains(always, name) || slices.Contains(ofSecret, name) && !holdsPrivateKey(value):
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

// holdsPrivateKey finds one where people have put it with the certificate.
func holdsPrivateKey(value any) bool {
	text, ok := value.(string)
	return ok && strings.Contains(text, "PRIVATE KEY")
}

// hide replaces all that is not structure. Whether something is there still shows.
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

// hideNamed replaces what a name says to be a secret.
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
