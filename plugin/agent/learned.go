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

// learnedFile is in Kong's prefix. Kong's workers look at it every second: egress.lua of the
// companion. It outlives restarts, so that they never know less than before.
const learnedFile = "kube-sync.addresses"

// judge decides about addresses when it connects to them.
type judge interface {
	// Learn replaces the addresses that are denied for what the cluster says of them.
	Learn(address.Learned)
}

// teacher tells the relay and Kong's workers which addresses the cluster protects.
type teacher struct {
	// prefix is Kong's; without one there are no workers to tell.
	prefix string
	relay  judge
	told   address.Learned
}

// teach tells what is new. It is called again after an error.
func (t *teacher) teach(learned address.Learned) error {
	if t.told != nil && maps.Equal(t.told, learned) {
		return nil
	}
	t.relay.Learn(learned)
	if t.prefix == "" {
		t.told = learned
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
	path := filepath.Join(t.prefix, learnedFile)
	if err := os.WriteFile(path+".new", []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("the addresses that workers are not to connect to: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("the addresses that workers are not to connect to: %w", err)
	}
	t.told = learned
	return nil
}
