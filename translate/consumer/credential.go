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

// typeLabel tells what a Secret is a credential for.
const typeLabel = "konghq.com/credential"

// kind is a type of credentials.
type kind struct {
	entities kong.Type
	// required are the fields that a Secret has to have, optional those that it may.
	required, optional []string
	// unique is the field that no two credentials of all consumers have alike; empty
	// where only those of one consumer may not.
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

// credentials are those by which consumers are known.
const credentials unit.Family[credential] = "credential"

// credential tells credentials apart.
type credential struct {
	label    string
	consumer string // empty where no two consumers may have the same
	value    string // a secret or close to one: it goes into no message
}

// credential translates a Secret that the consumer names. One that is no credential is
// left out; the consumer's others count.
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
			"credential %s: field %s begins or ends with white space, such as a line break, which is part of the value; "+
				"if it is not meant, write the Secret without it", name, field)).At(where.Path))
	}
	contested := t.model.Name
	if k.unique != "" {
		contested = ""
	}
	claim := t.claim(
		credentials.Slot(credential{label, contested, fmt.Sprint(fields[cmp.Or(k.unique, "group")])}),
		fmt.Sprintf("credential %s: there is another %s credential with its %s", name, label, cmp.Or(k.unique, "group")), where.Path)
	// A tenant that tries keys does not learn that another namespace uses one.
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

// unknown says why there are no credentials of a type.
func unknown(label string) string {
	switch label {
	case "":
		return "the Secret has no label " + typeLabel
	case "mtls-auth":
		return "only Kong Enterprise has mtls-auth"
	}
	return fmt.Sprintf("label %s: there is no type %q", typeLabel, label)
}

// fields reads the entity's from a Secret. Its errors do not tell values.
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
			// Each byte would become the same replacement character, and the value easy to guess.
			return nil, fmt.Errorf("%s is not text in UTF-8", name)
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

// algorithms are those that Kong's plugin jwt has.
var algorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}

// spaced names the fields of a credential that begin or end with white space, which nearly
// always is a line break that an editor or echo left behind. It is part of the value.
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
		return errors.New("algorithm is none of " + strings.Join(algorithms, ", "))
	case fields[needed] == nil:
		return fmt.Errorf("the Secret has no %s, which the algorithm %s needs", needed, algorithm)
	}
	return nil
}
