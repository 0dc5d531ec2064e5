package consumer

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// typeLabel holds the type of a Secret's credential.
const typeLabel = "konghq.com/credential"

// kind is a type of credentials.
type kind struct {
	entities kong.Type
	// required are the fields that a Secret must have, and optional those that it may have.
	required, optional []string
	// unique is the field that must be unique among all consumers; empty if it must only be
	// unique for one consumer.
	unique string
}

var kinds = map[string]kind{
	"key-auth":   {kong.KeyAuths, []string{"key"}, []string{"ttl"}, "key"},
	"basic-auth": {kong.BasicAuths, []string{"username", "password"}, nil, "username"},
	"hmac-auth":  {kong.HMACAuths, []string{"username", "secret"}, nil, "username"},
	"jwt":        {kong.JWTs, []string{"key"}, []string{"algorithm", "secret", "rsa_public_key"}, "key"},
	"acl":        {kong.ACLs, []string{"group"}, nil, ""},
	"oauth2": {kong.OAuth2s, []string{"name", "client_id", "client_secret", "redirect_uris"},
		[]string{"hash_secret", "client_type"}, "client_id"},
}

// credentials are the slots for credentials.
const credentials unit.Family[credential] = "credential"

// credential identifies a credential.
type credential struct {
	label    string
	consumer string // empty if the value is unique among all consumers
	value    string // may be secret: must not be in messages
}

// credential translates a Secret that the consumer names. An invalid credential is left out, and
// the others take effect.
func (t *translation) credential(name string, where kong.Part) {
	key := unit.Secret.Key(t.key.Namespace, name)
	secret, ok := unit.Get[*corev1.Secret](t.reader, key)
	if !ok {
		t.failed(unit.Lacking(where.Path, key), "SecretNotFound", "credential: %s does not exist", key)
		return
	}
	label := secret.Labels[typeLabel]
	k, ok := kinds[label]
	if !ok {
		t.failed(unit.At(where.Path), "CredentialInvalid", "credential %s: %s", name, unknown(label))
		return
	}
	fields, err := k.fields(label, secret)
	if err != nil {
		t.failed(unit.At(where.Path), "CredentialInvalid", "credential %s: %v", name, err)
		return
	}
	for _, field := range spaced(fields) {
		t.fragment.Verdicts = append(t.fragment.Verdicts, unit.Warning(t.key, "CredentialHasWhiteSpace", fmt.Sprintf(
			"credential %s: field %s starts or ends with white space, such as a line break, which is part of the value; "+
				"remove it from the Secret if it is not intended", name, field)).At(where.Path))
	}
	contested := t.model.Name
	if k.unique != "" {
		contested = ""
	}
	claim := t.claim(
		credentials.Slot(credential{label, contested, fmt.Sprint(fields[cmp.Or(k.unique, "group")])}),
		fmt.Sprintf("credential %s: another %s credential has the same %s", name, label, cmp.Or(k.unique, "group")), where.Path)
	// A tenant who guesses keys must not learn that another namespace uses one.
	elsewhere := condition.Verdict(t.key, false, "CredentialInvalid",
		fmt.Sprintf("credential %s: its %s cannot be used; choose another one", name, cmp.Or(k.unique, "group"))).At(where.Path)
	claim.Elsewhere = &elsewhere
	claim.Entities = []*kong.Entity{kong.Credential(route.Credential{
		Name: t.key.Namespace + "/" + t.key.Name + "/" + name, Consumer: t.model.Name, Fields: fields,
		Tags: kong.Tags(secret, corev1.SchemeGroupVersion.WithKind("Secret")),
	}, k.entities)}
	if t.allowance.Take(claim.Entities, where) {
		t.fragment.Claims = append(t.fragment.Claims, claim)
	}
}

// unknown returns why a type of credentials is unknown.
func unknown(label string) string {
	switch label {
	case "":
		return "the Secret has no label " + typeLabel
	case "mtls-auth":
		return "only Kong Enterprise supports mtls-auth"
	}
	return fmt.Sprintf("label %s: the type %q does not exist", typeLabel, label)
}

// fields returns the entity's fields from a Secret. Its errors do not quote values.
func (k kind) fields(label string, secret *corev1.Secret) (map[string]any, error) {
	fields := map[string]any{}
	for _, name := range slices.Concat(k.required, k.optional) {
		raw, ok := secret.Data[name]
		if !ok || len(raw) == 0 {
			if slices.Contains(k.required, name) {
				return nil, fmt.Errorf("the Secret has no %s", name)
			}
			continue
		}
		if !utf8.Valid(raw) {
			// JSON would replace each invalid byte with the same character, which makes the value
			// easy to guess.
			return nil, fmt.Errorf("%s is not UTF-8", name)
		}
		value, err := parse(name, string(raw))
		if err != nil {
			return nil, err
		}
		fields[name] = value
	}
	if label == "jwt" {
		return fields, jwt(fields)
	}
	return fields, nil
}

func parse(name, text string) (any, error) {
	switch name {
	case "ttl":
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return nil, errors.New("ttl is not a number")
		}
		return n, nil
	case "hash_secret":
		b, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			return nil, errors.New("hash_secret is neither true nor false")
		}
		return b, nil
	case "redirect_uris":
		uris := []string{}
		for uri := range strings.SplitSeq(text, ",") {
			uri = strings.TrimSpace(uri)
			if parsed, err := url.Parse(uri); uri != "" && (err != nil || parsed.Scheme == "" || parsed.Host == "" || strings.Contains(uri, "#")) {
				return nil, errors.New("redirect_uris is not a list of URLs without fragments")
			}
			if uri != "" {
				uris = append(uris, uri)
			}
		}
		return uris, nil
	case "algorithm", "client_type":
		return strings.TrimSpace(text), nil
	}
	return text, nil
}

// algorithms are the algorithms of Kong's plugin jwt.
var algorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}

// spaced returns the fields of a credential that start or end with white space, which is usually
// a line break from an editor or echo.
func spaced(fields map[string]any) []string {
	var names []string
	for name, value := range fields {
		if text, ok := value.(string); ok && name != "rsa_public_key" && strings.TrimSpace(text) != text {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// jwt checks what depends on the algorithm.
func jwt(fields map[string]any) error {
	algorithm, _ := fields["algorithm"].(string)
	if algorithm == "" {
		algorithm = "HS256"
		fields["algorithm"] = algorithm
	}
	needed := "rsa_public_key"
	if strings.HasPrefix(algorithm, "HS") {
		needed = "secret"
	}
	switch {
	case !slices.Contains(algorithms, algorithm):
		return errors.New("algorithm must be one of " + strings.Join(algorithms, ", "))
	case fields[needed] == nil:
		return fmt.Errorf("the Secret has no %s, which the algorithm %s needs", needed, algorithm)
	}
	return nil
}
