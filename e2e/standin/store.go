package standin

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
	"github.com/kube-sync/kube-sync/e2e/standin/proxy"
)

// emptyHash is the hash without a configuration.
var emptyHash = strings.Repeat("0", 32)

func hashOf(body []byte) string {
	sum := md5.Sum(body) // Kong's choice; it guards nothing
	return hex.EncodeToString(sum[:])
}

// apply replaces the configuration with the body, or returns a *[declarative.Refusal].
func (g *Gateway) apply(body []byte) (*declarative.Config, error) {
	config, err := declarative.Read(body, g.plugins)
	if err != nil {
		return nil, err
	}
	if err := g.save(body); err != nil {
		return nil, err
	}
	g.use(config, body)
	g.log.Info("configuration loaded", "hash", g.Hash(), "routes", len(config.Routes), "services", len(config.Services))
	return config, nil
}

func (g *Gateway) use(config *declarative.Config, body []byte) {
	l := &loaded{config: config, body: body, hash: emptyHash}
	for _, entities := range config.Entities {
		if len(entities) > 0 {
			l.hash = hashOf(body)
		}
	}
	if len(config.Ignored) > 0 {
		g.log.Warn("collections without effect in the stand-in gateway", "collections", config.Ignored)
	}
	g.proxy.Use(proxy.NewTable(config))
	g.loaded.Store(l)
}

func (g *Gateway) configFile() string {
	return filepath.Join(g.settings["prefix"], "standin.config")
}

// save stores the configuration for the next start. It has private keys.
func (g *Gateway) save(body []byte) error {
	file := g.configFile()
	if err := os.WriteFile(file+".new", body, 0o600); err != nil {
		return fmt.Errorf("store the configuration: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("store the configuration: %w", err)
	}
	return nil
}

// restore loads the stored configuration.
func (g *Gateway) restore() {
	g.use(&declarative.Config{}, nil)
	body, err := os.ReadFile(g.configFile())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	config, readErr := &declarative.Config{}, err
	if err == nil {
		config, readErr = declarative.Read(body, g.plugins)
	}
	if readErr != nil {
		g.log.Error("cannot restore the configuration", "file", g.configFile(), "error", readErr)
		return
	}
	g.use(config, body)
	g.log.Info("configuration restored", "hash", g.Hash(), "routes", len(config.Routes))
}
