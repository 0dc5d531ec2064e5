package datapath

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// secretFile is in Kong's prefix, where the persisted configuration is that has keys made
// with the secret. Both live and go together.
const secretFile = "kube-sync.relay"

// secret is what the keys of the rules are made with: one for each gateway, made when it
// starts for the first time.
func secret(prefix string) (string, error) {
	path := filepath.Join(prefix, secretFile)
	known, err := os.ReadFile(path)
	if err == nil && len(known) > 0 {
		return string(known), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("the relay's secret: %w", err)
	}
	made := rand.Text()
	if err := os.WriteFile(path, []byte(made), 0o600); err != nil {
		return "", fmt.Errorf("the relay's secret: %w", err)
	}
	return made, nil
}
