package datapath

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// secretFile is in Kong's prefix, next to the persisted configuration, whose keys are made with the
// secret.
const secretFile = "kube-sync.relay"

// secret returns the secret that the keys of the rules are made with. It is created when a gateway
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
