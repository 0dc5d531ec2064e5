// Package hosts keeps the hosts of namespaces apart where namespaces are isolated: a host is
// of the namespace that has the oldest route for it, and routes of other namespaces for it are
// not served, however closely they match. Where namespaces share the gateway, so do they hosts.
package hosts

import (
	"time"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Claims are the claims of one object to hosts. The zero value claims none.
type Claims struct {
	object unit.Key
	since  time.Time
	known  map[route.Host]bool // nil where namespaces share hosts
}

// Of returns the claims of an object with routes; none unless namespaces are isolated.
func Of(object unit.Object, key unit.Key, isolated bool) Claims {
	c := Claims{object: key, since: object.GetCreationTimestamp().Time}
	if isolated {
		c.known = map[route.Host]bool{}
	}
	return c
}

// Under returns what a claim to a match is under that is for the host; "" is all hosts. It adds
// the claim to the host to the fragment, once for each host.
func (c Claims) Under(f *unit.Fragment, host route.Host) unit.Under {
	if c.known == nil {
		return unit.Under{}
	}
	slot, what := "host "+string(host), "the host "+string(host)
	if host == "" {
		what = "requests for all hosts"
	}
	if !c.known[host] {
		c.known[host] = true
		f.Claims = append(f.Claims, unit.Claim{
			Slot: slot, Object: c.object, Since: c.since, Same: c.object.Namespace,
			Lost: unit.Warning(c.object, "HostConflict", "the routes for "+what+" are not served: another namespace has it, and TENANCY is isolated"),
		})
	}
	return unit.Under{Slot: slot, Same: c.object.Namespace}
}
