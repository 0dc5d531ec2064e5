package route

import "encoding/json"

// Vault is a source of the secrets that a configuration references.
type Vault struct {
	// Backend is the kind of vault: "env".
	Backend string
	// Prefix identifies the vault in references.
	Prefix      string
	Description string
	// Config is a JSON object, or empty.
	Config json.RawMessage
	Tags   []string
}
