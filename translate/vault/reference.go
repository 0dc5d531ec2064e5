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

// IsReference reports whether Kong would replace a string by a secret of a vault.
func IsReference(text string) bool {
	return strings.HasPrefix(text, "{vault://") && strings.HasSuffix(text, "}")
}

// reference is what a tenant's reference may look like. In a query Kong takes settings of
// the vault, which come before those of the KongVault.
var reference = regexp.MustCompile(`^\{vault://([a-z][a-z0-9-]*)/[A-Za-z0-9_./%~-]+(#[0-9]+)?\}$`)

// prefixOf is what Kong looks the vault up by.
var prefixOf = regexp.MustCompile(`^\{vault://([^/?#]*)`)

// environment is the vault that needs no KongVault.
const environment = "env"

const permit = "the annotation " + annotation.Prefix + annotation.VaultNamespaces + " of a KongVault names the namespaces that may refer to it, and the setting ALLOW_VAULTS permits all vaults to all"

// Rules decide on references to vaults.
type Rules struct {
	// Class is that of the KongVaults.
	Class string
	// Everyone may refer to all vaults, as the Kong Ingress Controller has it.
	Everyone bool
}

// Check returns why an object must not have the references to vaults in a tree of JSON
// values. The path is that of the tree. An object of the cluster has no namespace. Kong
// would take empty strings for the secrets of a vault that does not exist.
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
		return errors.New("is not a reference that an object of a namespace may have: {vault://prefix/secret}, with /key and #version if needed, and no settings of the vault")
	}
	prefix := prefixOf.FindStringSubmatch(text)[1]
	if prefix == environment {
		if ofTenant {
			return errors.New("refers to the gateway's environment, which is the operator's; " + permit)
		}
		return nil
	}
	v := s.holder(r, prefix)
	if v == nil {
		return unit.WithFault(fmt.Errorf("refers to the vault %q, and there is no KongVault with that prefix", prefix),
			unit.Fault{Missing: unit.KongVault.Key("", "")})
	}
	if names, _ := Namespaces(v); ofTenant && !names.Has(namespace) {
		return fmt.Errorf("refers to the vault %q, which is not for namespace %s; %s", prefix, namespace, permit)
	}
	return nil
}

// holder is the KongVault that has a prefix in Kong.
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

// NamespaceList are names of namespaces. One that ends with an asterisk stands for all that
// start with what is before it.
type NamespaceList []string

// Has reports whether a namespace is one of them.
func (l NamespaceList) Has(namespace string) bool {
	return slices.ContainsFunc(l, func(name string) bool {
		start, all := strings.CutSuffix(name, "*")
		return name == namespace || all && strings.HasPrefix(namespace, start)
	})
}

var listedNamespace = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?|([a-z0-9][a-z0-9-]*)?\*)$`)

// Namespaces are those whose objects may refer to a vault. The second result are the items
// of the annotation that name none.
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
