package loadbalancer

import (
	"fmt"
	"net/netip"

	"k8s.io/client-go/tools/cache"
)

// A pool gives addresses to Services, in turn, so that one is not soon another's.
type pool struct {
	prefix netip.Prefix
	last   netip.Addr
	owners map[netip.Addr]cache.ObjectName
}

func newPool(prefix netip.Prefix) *pool {
	prefix = prefix.Masked()
	return &pool{prefix: prefix, last: prefix.Addr(), owners: map[netip.Addr]cache.ObjectName{}}
}

// take gives the address that is asked for, or any if that is empty.
func (p *pool) take(owner cache.ObjectName, asked string) (netip.Addr, error) {
	if asked == "" {
		return p.any(owner)
	}
	address, err := netip.ParseAddr(asked)
	if err != nil {
		return address, fmt.Errorf("the address asked for: %w", err)
	}
	if !p.prefix.Contains(address) {
		return address, fmt.Errorf("address %s is not of %s", address, p.prefix)
	}
	if other, taken := p.owners[address]; taken {
		return address, fmt.Errorf("address %s is that of Service %s", address, other)
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
			return address, fmt.Errorf("all addresses of %s are taken", p.prefix)
		}
	}
}
