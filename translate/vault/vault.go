// Package vault translates KongVaults, the sources of secrets for references in plugins'
// configuration, and decides who may refer to them. Each is a unit; of two with one prefix, the
// older one takes effect.
package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of units of vaults.
const Role unit.Role[unit.None] = "vault"

// prefixes are the slots for the prefixes of vaults.
const prefixes unit.Family[string] = "vault"

// Define adds the units of vaults to a graph.
func Define(g *unit.Graph, rules Rules) {
	unit.DefineIndex(g, ofPrefix, unit.KongVault, func(v *configurationv1alpha1.KongVault) []string { return []string{v.Spec.Prefix} })
	unit.Each(g, Role, unit.KongVault, unit.Valueless(func(r *unit.Reader, key unit.Key, v *configurationv1alpha1.KongVault) unit.Fragment {
		if !class.Ours(r, v, rules.Class) {
			return unit.Fragment{Verdicts: class.Missing(v, key, rules.Class)}
		}
		return rules.translate(r, v, key)
	}))
}

var configField = field.NewPath("spec", "config")

func (s Rules) translate(r *unit.Reader, v *configurationv1alpha1.KongVault, key unit.Key) unit.Fragment {
	values := annotation.Of(v, key)
	tags := kong.Tags(v, configurationv1alpha1.SchemeGroupVersion.WithKind(string(unit.KongVault)), values.UserTags(v.Spec.Tags...)...)
	f := unit.Fragment{Status: condition.Status{}}
	f.Verdicts = append(values.Verdicts, annotation.Ignored(v, key, annotation.Tags, annotation.VaultNamespaces)...)
	names, invalid := Namespaces(v)
	for _, item := range invalid {
		f.Verdicts = append(f.Verdicts, unit.Warning(key, "AnnotationInvalid", fmt.Sprintf(
			"annotation %s%s: %q is neither the name of a namespace nor the start of names followed by an asterisk", annotation.Prefix, annotation.VaultNamespaces, item)).At(annotation.Field(annotation.VaultNamespaces)))
	}
	if err := r.Limits().Config("", v.Spec.Config.Raw); err != nil {
		f.Verdicts = append(f.Verdicts, condition.Verdict(key, false, "Invalid", "spec.config: "+err.Error()).At(configField))
		return f
	}
	config, err := configuration(v.Spec.Config.Raw)
	if err != nil {
		f.Verdicts = append(f.Verdicts, condition.Verdict(key, false, "Invalid", err.Error()).At(configField))
		return f
	}
	f.Verdicts = append(f.Verdicts, condition.Verdict(key, true, "Programmed", s.programmed(names)))
	f.Claims = []unit.Claim{{
		Slot: prefixes.Slot(v.Spec.Prefix), Object: key, Since: v.CreationTimestamp.Time,
		Entities: []*kong.Entity{kong.Vault(route.Vault{
			Backend: v.Spec.Backend, Prefix: v.Spec.Prefix, Description: v.Spec.Description, Config: config,
			Tags: tags,
		})},
		Lost: condition.Verdict(key, false, "Conflict", "another vault has the prefix "+v.Spec.Prefix).At(field.NewPath("spec", "prefix")),
	}}
	return f
}

// isValid reports whether the config is valid.
func isValid(v *configurationv1alpha1.KongVault) bool {
	_, err := configuration(v.Spec.Config.Raw)
	return err == nil
}

// configuration returns a vault's config without null fields; nil if it has none.
func configuration(raw []byte) (json.RawMessage, error) {
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if len(raw) == 0 {
		return nil, nil
	}
	if err := decoder.Decode(&object); err != nil {
		return nil, errors.New("spec.config is not an object")
	}
	if object == nil {
		return nil, nil
	}
	return json.Marshal(kong.WithoutNulls(object))
}

// programmed returns a message that says which objects may refer to the vault.
func (s Rules) programmed(names NamespaceList) string {
	message := "the vault is in Kong's configuration"
	switch {
	case s.Everyone:
		return message
	case len(names) == 0:
		return message + " for KongClusterPlugins; the annotation " + annotation.Prefix + annotation.VaultNamespaces + " names no namespaces"
	}
	return message + " for KongClusterPlugins and the namespaces " + strings.Join(names, ", ")
}
