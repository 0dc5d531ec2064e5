// Package hosts assigns hosts to namespaces while tenancy is isolated: a host belongs to the
// namespace with the oldest route for it. Routes of other namespaces for the host are not served,
// even if they match more closely, nor are their certificates for it. With shared tenancy,
// namespaces share hosts. In both cases, only the namespace that owns a host can refuse requests
// for it by the connection that they come over.
//
// A wildcard is a host of its own: owning it does not include the hosts that it covers.
package hosts

import (
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// owners are the slots for the namespace that owns a host.
const owners unit.Family[route.Host] = "host"

// Claims are the claims of one object to hosts. Use [Of] or [By] to make them.
type Claims struct {
	object   unit.Key
	since    time.Time
	isolated bool
	// routed and certified are the hosts claimed so far for routes and for certificates.
	routed, certified map[route.Host]bool
}

// Of returns the claims of an object.
func Of(object unit.Object, key unit.Key, isolated bool) Claims {
	return By(key, object.GetCreationTimestamp().Time, isolated)
}

// By returns the claims of an object that was created at a time.
func By(key unit.Key, since time.Time, isolated bool) Claims {
	return Claims{object: key, since: since, isolated: isolated, routed: map[route.Host]bool{}, certified: map[route.Host]bool{}}
}

// Under returns the requirement that a claim to a match for the host is [unit.Under]; "" is all
// hosts. It adds the claim to the host to the fragment, once for each host. The path is the field
// that names the host.
func (c Claims) Under(f *unit.Fragment, host route.Host, at field.Path) unit.Under {
	owner := c.Owner(f, host, at)
	if !c.isolated {
		return unit.Under{}
	}
	return owner
}

// Owner is Under for what only the owner of the host may ask for, even while namespaces share
// hosts.
func (c Claims) Owner(f *unit.Fragment, host route.Host, at field.Path) unit.Under {
	if !c.routed[host] {
		c.routed[host] = true
		claim := unit.Claim{Slot: owners.Slot(host), Object: c.object, Since: c.since, Same: c.object.Namespace}
		if c.isolated {
			what := "the host " + string(host)
			if host == "" {
				what = "all hosts"
			}
			claim.Lost = unit.Warning(c.object, "HostConflict", "the routes for "+what+" are not served: another namespace owns it, and the setting TENANCY is isolated").At(at)
		}
		f.Claims = append(f.Claims, claim)
	}
	return unit.Under{Slot: owners.Slot(host), Same: c.object.Namespace}
}

// afterRoutes is the number of years by which a certificate's claim counts as younger than its
// object, so that every route for the host takes precedence.
const afterRoutes = 10_000

// Certificate returns the requirement that a claim to a server name is [unit.Under] while tenancy
// is isolated: no other namespace has routes for the host. If report is set, the object gets a
// verdict when that fails. A Gateway whose routes may be in other namespaces does not report it.
func (c Claims) Certificate(f *unit.Fragment, name string, report bool, at field.Path) unit.Under {
	host := route.Host(strings.ToLower(name))
	if !c.isolated || name == certificate.AnyHost {
		return unit.Under{}
	}
	if !c.routed[host] && !c.certified[host] {
		c.certified[host] = true
		claim := unit.Claim{Slot: owners.Slot(host), Object: c.object, Since: c.since.AddDate(afterRoutes, 0, 0), Same: c.object.Namespace}
		if report {
			claim.Lost = unit.Warning(c.object, "HostConflict", "the certificate for "+name+" is not served: another namespace owns the host, and the setting TENANCY is isolated").At(at)
		}
		f.Claims = append(f.Claims, claim)
	}
	return unit.Under{Slot: owners.Slot(host), Same: c.object.Namespace}
}
