package loadbalancer

import (
	"fmt"
	"net/netip"

	"k8s.io/client-go/tools/cache"
)

// A pool assigns addresses to Services, in turn, so that a released address is not soon in use again.
type pool struct {
	prefix netip.Prefix
	last   netip.Addr
	owners map[netip.Addr]cache.ObjectName
}

func newPool(prefix netip.Prefix) *pool {
	prefix = prefix.Masked()
	return &pool{prefix: prefix, last: prefix.Addr(), owners: map[netip.Addr]cache.ObjectName{}}
}

// take returns the wanted address, or any if that is empty.
func (p *pool) take(owner cache.ObjectName, asked string) (netip.Addr, error) {
	if asked == "" {
		return p.any(owner)
	}
	address, err := netip.ParseAddr(asked)
	if err != nil {
		return address, fmt.Errorf("spec.loadBalancerIP: %w", err)
	}
	if !p.prefix.Contains(address) {
		return address, fmt.Errorf("address %s is not in %s", address, p.prefix)
	}
	if other, taken := p.owners[address]; taken {
		return address, fmt.Errorf("address %s is in use by Service %s", address, other)
	}
	p.owners[address] = owner
	return address, nil
}

func (p *pool) any(owner cache.ObjectName) (netip.Addr, error) {
	for address := p.last.Next(); ; address = address.Next() {
		if !p.prefix.Contains(address) {
			address = p.prefix.Addr().Next()
		}
		if _, taken := p.owners[address]; !taken {
			p.owners[address], p.last = owner, address
			return address, nil
		}
		if address == p.last {
			return address, fmt.Errorf("all addresses of %s are in use", p.prefix)
		}
	}
}
