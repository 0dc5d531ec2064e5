package agent

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/address"
)

// addressFile is in Kong's prefix. Kong's workers read it every second: see egress.lua of the
// companion. It survives restarts, so that they never know fewer addresses than before.
const addressFile = "kube-sync.addresses"

// Relay checks addresses when it connects to them.
type Relay interface {
	// SetProtected replaces the addresses that are denied because the cluster protects them.
	SetProtected(address.Learned)
}

// AddressPublisher tells the relay and Kong's workers which addresses the cluster protects.
type AddressPublisher struct {
	// Prefix is Kong's prefix; empty if there are no workers.
	Prefix string
	Relay  Relay

	published address.Learned
}

// publish publishes the addresses if they have changed. After an error the caller tries again.
func (p *AddressPublisher) publish(learned address.Learned) error {
	if p.published != nil && maps.Equal(p.published, learned) {
		return nil
	}
	p.Relay.SetProtected(learned)
	if p.Prefix == "" {
		p.published = learned
		return nil
	}
	var lines strings.Builder
	for _, a := range slices.SortedFunc(maps.Keys(learned), netip.AddrPort.Compare) {
		var at any = a
		if a.Port() == 0 {
			at = a.Addr()
		}
		fmt.Fprintf(&lines, "%s %s\n", at, learned[a])
	}
	path := filepath.Join(p.Prefix, addressFile)
	if err := os.WriteFile(path+".new", []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("writing the protected addresses for Kong's workers: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing the protected addresses for Kong's workers: %w", err)
	}
	p.published = learned
	return nil
}
