package vault

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ofPrefix finds KongVaults by their prefix.
const ofPrefix unit.Index[string] = "KongVault of prefix"

// IsReference reports whether Kong would replace a string with a secret of a vault.
func IsReference(text string) bool {
	return strings.HasPrefix(text, "{vault://") && strings.HasSuffix(text, "}")
}

// reference matches a tenant's references. A query is not allowed: it would override settings of
// the KongVault.
var reference = regexp.MustCompile(`^\{vault://([a-z][a-z0-9-]*)/[A-Za-z0-9_./%~-]+(#[0-9]+)?\}$`)

// prefixOf matches the prefix by which Kong looks the vault up.
var prefixOf = regexp.MustCompile(`^\{vault://([^/?#]*)`)

// environment is the prefix of the built-in vault.
const environment = "env"

const permit = "the annotation " + annotation.Prefix + annotation.VaultNamespaces + " of a KongVault names the namespaces that may refer to it, and the setting ALLOW_VAULTS permits all vaults to all namespaces"

// Rules decide on references to vaults.
type Rules struct {
	// Class is the ingress class of the KongVaults.
	Class string
	// Everyone permits all vaults to all namespaces, like the Kong Ingress Controller.
	Everyone bool
}

// Check returns an error if an object must not have a vault reference that is in a tree of JSON
// values at a path. The namespace of a cluster-scoped object is empty. It also refuses references
// to missing vaults, for which Kong would use empty strings.
func (s Rules) Check(r *unit.Reader, namespace string, path field.Path, tree any) error {
	return tenancy.Strings(tree, path, func(path field.Path, text string) error {
		if !IsReference(text) {
			return nil
		}
		err := s.check(r, namespace, text)
		if err != nil {
			return unit.WithFault(fmt.Errorf("%s %w", path, err), unit.Lacking(path, unit.FaultOf(err, "").Missing))
		}
		return nil
	})
}

func (s Rules) check(r *unit.Reader, namespace, text string) error {
	ofTenant := namespace != "" && !s.Everyone
	if ofTenant && !reference.MatchString(text) {
		return errors.New("is not a reference that a namespaced object may have. Allowed is {vault://prefix/secret}, optionally with /key and #version, and without settings of the vault")
	}
	prefix := prefixOf.FindStringSubmatch(text)[1]
	if prefix == environment {
		if ofTenant {
			return errors.New("refers to the gateway's environment, which belongs to the operator; " + permit)
		}
		return nil
	}
	v := s.holder(r, prefix)
	if v == nil {
		return unit.WithFault(fmt.Errorf("refers to the vault %q, but no KongVault has that prefix", prefix),
			unit.Fault{Missing: unit.KongVault.Key("", "")})
	}
	if names, _ := Namespaces(v); ofTenant && !names.Has(namespace) {
		return fmt.Errorf("refers to the vault %q, which is not permitted to namespace %s; %s", prefix, namespace, permit)
	}
	return nil
}

// holder returns the KongVault that has a prefix in Kong; nil if there is none.
func (s Rules) holder(r *unit.Reader, prefix string) *configurationv1alpha1.KongVault {
	vaults := unit.List[*configurationv1alpha1.KongVault](r, ofPrefix, prefix)
	vaults = slices.DeleteFunc(vaults, func(v *configurationv1alpha1.KongVault) bool { return !class.Ours(r, v, s.Class) || !isValid(v) })
	if len(vaults) == 0 {
		return nil
	}
	return slices.MinFunc(vaults, func(a, b *configurationv1alpha1.KongVault) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

// NamespaceList holds names of namespaces. A final asterisk matches any end.
type NamespaceList []string

// Has reports whether the list matches a namespace.
func (l NamespaceList) Has(namespace string) bool {
	return slices.ContainsFunc(l, func(name string) bool {
		start, all := strings.CutSuffix(name, "*")
		return name == namespace || all && strings.HasPrefix(namespace, start)
	})
}

var listedNamespace = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?|([a-z0-9][a-z0-9-]*)?\*)$`)

// Namespaces returns the namespaces whose objects may refer to a vault, and the invalid items of
// the annotation.
func Namespaces(v *configurationv1alpha1.KongVault) (names NamespaceList, invalid []string) {
	for item := range strings.SplitSeq(v.Annotations[annotation.Prefix+annotation.VaultNamespaces], ",") {
		switch item = strings.TrimSpace(item); {
		case item == "":
		case listedNamespace.MatchString(item):
			names = append(names, item)
		default:
			invalid = append(invalid, item)
		}
	}
	return names, invalid
}
