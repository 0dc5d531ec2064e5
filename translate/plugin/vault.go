package plugin

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// vaultsOf finds KongVaults by their prefix.
const vaultsOf unit.Kind = "KongVault of prefix"

func defineVaults(g *unit.Graph) {
	g.DefineIndex(unit.Index{Name: vaultsOf, Kind: unit.KongVault, Owner: func(object unit.Object) (namespace, name string, ok bool) {
		v, ok := object.(*configurationv1alpha1.KongVault)
		if !ok {
			return "", "", false
		}
		return "", v.Spec.Prefix, true
	}})
}

// vaultReference is a text that Kong replaces by a secret. Its first part is the prefix of
// a vault.
var vaultReference = regexp.MustCompile(`^\{vault://([^/?#]*).*\}$`)

// builtInVault needs no KongVault.
const builtInVault = "env"

// vaulted refuses a configuration with secrets of a vault that is not there: Kong would
// take empty texts for them.
func (d definition) vaulted(r *unit.Reader, tree any) error {
	prefixes := map[string]bool{}
	collectVaults(tree, prefixes)
	for _, prefix := range slices.Sorted(maps.Keys(prefixes)) {
		vaults := unit.List[*configurationv1alpha1.KongVault](r, unit.Key{Kind: vaultsOf, Name: prefix})
		ours := func(v *configurationv1alpha1.KongVault) bool { return class.Ours(r, v, d.class) }
		if prefix != builtInVault && !slices.ContainsFunc(vaults, ours) {
			return fmt.Errorf("a secret is in the vault %q, and there is no KongVault with that prefix", prefix)
		}
	}
	return nil
}

func collectVaults(tree any, prefixes map[string]bool) {
	switch tree := tree.(type) {
	case map[string]any:
		for _, value := range tree {
			collectVaults(value, prefixes)
		}
	case []any:
		for _, value := range tree {
			collectVaults(value, prefixes)
		}
	case string:
		if reference := vaultReference.FindStringSubmatch(tree); reference != nil {
			prefixes[reference[1]] = true
		}
	}
}
