// Package vault translates KongVaults: where references in the configuration of plugins
// find their secrets. Each is a unit; of two with one prefix the oldest holds.
package vault

import (
	"encoding/json"

	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Role is the role of units of vaults.
const Role unit.Role = "vault"

// Define adds the units of vaults of a class to a graph.
func Define(g *unit.Graph, className string) {
	g.Define(unit.Definition{Role: Role, Kind: unit.KongVault, EachObject: true, Translate: func(id unit.ID, r *unit.Reader) unit.Fragment {
		key := unit.Key{Kind: unit.KongVault, Name: id.Name}
		v, ok := unit.Get[*configurationv1alpha1.KongVault](r, key)
		if !ok {
			return unit.Fragment{}
		}
		if !class.Ours(r, v, className) {
			return unit.Fragment{Verdicts: class.Missing(v, key, className)}
		}
		return translate(v, key)
	}})
}

func translate(v *configurationv1alpha1.KongVault, key unit.Key) unit.Fragment {
	values := annotation.Of(v, key)
	tags := kong.Tags(v, configurationv1alpha1.SchemeGroupVersion.WithKind(string(unit.KongVault)), values.UserTags(v.Spec.Tags...)...)
	f := unit.Fragment{Status: condition.Status{}}
	f.Verdicts = append(values.Verdicts, annotation.Ignored(v, key, annotation.Tags)...)
	var object map[string]json.RawMessage
	if raw := v.Spec.Config.Raw; len(raw) > 0 && json.Unmarshal(raw, &object) != nil {
		f.Verdicts = append(f.Verdicts, condition.Verdict(key, false, "Invalid", "the config is not an object"))
		return f
	}
	f.Verdicts = append(f.Verdicts, condition.Verdict(key, true, "Programmed", "the vault is in Kong's configuration"))
	f.Claims = []unit.Claim{{
		Slot: "vault " + v.Spec.Prefix, Object: key, Since: v.CreationTimestamp.Time,
		Entities: []*kong.Entity{kong.Vault(route.Vault{
			Backend: v.Spec.Backend, Prefix: v.Spec.Prefix, Description: v.Spec.Description, Config: v.Spec.Config.Raw,
			Tags: tags,
		})},
		Lost: condition.Verdict(key, false, "Conflict", "another vault has the prefix "+v.Spec.Prefix),
	}}
	return f
}
