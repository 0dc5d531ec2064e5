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

// addressFile is in Kong's prefix. Kong's workers look at it every second: egress.lua of the
// companion. It outlives restarts, so that they never know less than before.
const addressFile = "kube-sync.addresses"

// Relay decides about addresses when it connects to them.
type Relay interface {
	// SetProtected replaces the addresses that are denied because the cluster protects them.
	SetProtected(address.Learned)
}

// AddressPublisher tells the relay and Kong's workers which addresses the cluster protects.
type AddressPublisher struct {
	// Prefix is Kong's; without one there are no workers to tell.
	Prefix string
	Relay  Relay

	published address.Learned
}

// publish tells what is new. It is called again after an error.
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
		return fmt.Errorf("the addresses that workers are not to connect to: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("the addresses that workers are not to connect to: %w", err)
	}
	p.published = learned
	return nil
}
