package route

import "encoding/json"

// Vault is where secrets are found that a configuration refers to.
type Vault struct {
	// Backend is the kind of vault: "env".
	Backend string
	// Prefix is how references name it.
	Prefix      string
	Description string
	// Config is a JSON object, or empty.
	Config json.RawMessage
	Tags   []string
}
