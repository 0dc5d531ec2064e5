package kong

import (
	"encoding/json"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// declaredVault keeps the configuration as the user wrote it.
type declaredVault struct {
	gokong.Vault
	Config json.RawMessage `json:"config,omitempty"`
}

// Vault returns a vault.
func Vault(v route.Vault) *Entity {
	id := ID(Vaults, v.Prefix)
	declared := declaredVault{
		Vault:  gokong.Vault{ID: &id, Name: &v.Backend, Prefix: &v.Prefix, Tags: gokong.StringSlice(v.Tags...)},
		Config: v.Config,
	}
	if v.Description != "" {
		declared.Description = &v.Description
	}
	return entity(Vaults, id, v.Prefix, declared)
}
