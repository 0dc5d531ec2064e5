// Package hosts keeps the hosts of namespaces apart where namespaces are isolated: a host is
// of the namespace that has the oldest route for it, and routes of other namespaces for it are
// not served, however closely they match, nor are their certificates for it. Where namespaces
// share the gateway, they share hosts. In both cases only the namespace that has a host refuses
// requests for it because of the connections over which they come.
//
// A wildcard is a host like others: it does not include the hosts that it covers.
package hosts

import (
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// owners are the namespaces that hosts belong to.
const owners unit.Family[route.Host] = "host"

// Claims are the claims of one object to hosts. The zero value is of no use.
type Claims struct {
	object   unit.Key
	since    time.Time
	isolated bool
	// routed and certified are the hosts that are claimed for routes and for certificates.
	routed, certified map[route.Host]bool
}

// Of returns the claims of an object.
func Of(object unit.Object, key unit.Key, isolated bool) Claims {
	return By(key, object.GetCreationTimestamp().Time, isolated)
}

// By returns the claims of an object of an age.
func By(key unit.Key, since time.Time, isolated bool) Claims {
	return Claims{object: key, since: since, isolated: isolated, routed: map[route.Host]bool{}, certified: map[route.Host]bool{}}
}

// Under returns what a claim to a match is under that is for the host; "" is all hosts. It adds
// the claim to the host to the fragment, once for each host. The path is that of what is for the
// host.
func (c Claims) Under(f *unit.Fragment, host route.Host, at field.Path) unit.Under {
	owner := c.Owner(f, host, at)
	if !c.isolated {
		return unit.Under{}
	}
	return owner
}

// Owner is Under for what only the namespace that has the host may ask for, also where
// namespaces share hosts.
func (c Claims) Owner(f *unit.Fragment, host route.Host, at field.Path) unit.Under {
	if !c.routed[host] {
		c.routed[host] = true
		claim := unit.Claim{Slot: owners.Slot(host), Object: c.object, Since: c.since, Same: c.object.Namespace}
		if c.isolated {
			what := "the host " + string(host)
			if host == "" {
				what = "requests for all hosts"
			}
			claim.Lost = unit.Warning(c.object, "HostConflict", "the routes for "+what+" are not served: another namespace has it, and TENANCY is isolated").At(at)
		}
		f.Claims = append(f.Claims, claim)
	}
	return unit.Under{Slot: owners.Slot(host), Same: c.object.Namespace}
}

// afterRoutes is by how many years a claim for a certificate is younger than its object, so that
// any route for the host comes before it.
const afterRoutes = 10_000

// Certificate returns what a claim to a server name is under where namespaces are isolated: no
// other namespace may have routes for the host. If told is set, the object has a verdict
// otherwise; a Gateway that others may attach routes to serves the certificate with those.
func (c Claims) Certificate(f *unit.Fragment, name string, told bool, at field.Path) unit.Under {
	host := route.Host(strings.ToLower(name))
	if !c.isolated || name == certificate.AnyHost {
		return unit.Under{}
	}
	if !c.routed[host] && !c.certified[host] {
		c.certified[host] = true
		claim := unit.Claim{Slot: owners.Slot(host), Object: c.object, Since: c.since.AddDate(afterRoutes, 0, 0), Same: c.object.Namespace}
		if told {
			claim.Lost = unit.Warning(c.object, "HostConflict", "the certificate for "+name+" is not served: another namespace has the host, and TENANCY is isolated").At(at)
		}
		f.Claims = append(f.Claims, claim)
	}
	return unit.Under{Slot: owners.Slot(host), Same: c.object.Namespace}
}
