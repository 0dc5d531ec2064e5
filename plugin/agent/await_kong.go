package agent

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/serve"
)

// AwaitKong waits for Kong's Admin API and reads Kong's version and configuration. It tells the
// server why it is not ready yet. The server becomes ready if Kong has a configuration: one that
// survived a restart, or that an earlier kube-sync applied. Such a gateway serves even if the API
// server cannot be reached.
//
// AwaitKong returns an error for a Kong that any client can exploit, unless allowVulnerable is
// true: such a Kong gets no configuration.
func AwaitKong(ctx context.Context, admin *adminapi.Client, server *serve.Server, allowVulnerable bool, log *slog.Logger) error {
	server.SetReason("waiting for Kong's Admin API at " + admin.Address())
	hash, err := awaitHash(ctx, admin)
	if err != nil {
		return err
	}
	if err := checkVersion(ctx, admin, server, allowVulnerable, log); err != nil {
		return err
	}
	if strings.Trim(hash, "0") != "" {
		server.SetReady()
	} else {
		server.SetReason("waiting for the first complete configuration")
	}
	return nil
}

// awaitHash waits for Kong's Admin API and returns the hash of Kong's configuration.
func awaitHash(ctx context.Context, admin *adminapi.Client) (string, error) {
	for {
		hash, err := admin.Hash(ctx)
		if err == nil {
			return hash, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for Kong: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// checkVersion logs Kong's known vulnerabilities, and returns an error if Kong is too old.
func checkVersion(ctx context.Context, admin *adminapi.Client, server *serve.Server, allowVulnerable bool, log *slog.Logger) error {
	software, err := admin.Software(ctx)
	if err != nil {
		return fmt.Errorf("asking Kong for its version: %w", err)
	}
	warnings := software.Warnings()
	server.SetKong(software.Version, warnings)
	if software.Refused() && !allowVulnerable {
		return fmt.Errorf("%s; or set ALLOW_VULNERABLE_KONG", strings.Join(warnings, "; "))
	}
	for _, warning := range warnings {
		log.Warn("This Kong puts the gateway at risk", "version", software.Version, "reason", warning)
	}
	return nil
}
