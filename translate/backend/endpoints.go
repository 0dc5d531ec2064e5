package backend

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/route"
)

// fullWeight is Kong's default: an equal share.
const fullWeight = 100

// endpoints gives the targets of a port, in order.
//
// Ready endpoints are taken. If there are none, terminating ones that still serve
// are, as kube-proxy does: the last pods of a rollout answer better than nobody.
// Of an endpoint's addresses only the first has a meaning in Kubernetes.
func (o Options) endpoints(ref Ref, all []*discoveryv1.EndpointSlice, portName string) ([]route.Target, *problem) {
	var ready, draining []route.Target
	var refused, invalid []string
	seen := map[string]bool{}
	for _, slice := range all {
		port, ok := slicePort(slice, portName)
		if !ok {
			continue
		}
		for _, e := range slice.Endpoints {
			isReady, isDraining := flagOr(e.Conditions.Ready, true), drains(e.Conditions)
			if len(e.Addresses) == 0 || !isReady && !isDraining {
				continue
			}
			host := e.Addresses[0]
			target := route.Target{Address: address(host, port), Weight: fullWeight}
			// While the controller moves an endpoint from one slice to
			// another, it stands in both.
			switch {
			case seen[target.Address]:
			case !isHost(host) || !isPort(port):
				invalid = append(invalid, target.Address)
			case !o.AllowLoopback && isLocal(host):
				refused = append(refused, host)
			case isReady:
				ready = append(ready, target)
			default:
				draining = append(draining, target)
			}
			seen[target.Address] = true
		}
	}
	targets := ready
	if len(ready) == 0 {
		targets = draining
	} else if o.Drain {
		for _, target := range draining {
			target.Weight = 0
			targets = append(targets, target)
		}
	}
	slices.SortFunc(targets, func(a, b route.Target) int { return cmp.Compare(a.Address, b.Address) })
	if len(refused) > 0 {
		return targets, &problem{"LoopbackNotAllowed",
			fmt.Sprintf("%s has endpoints on the gateway's own host: %s", ref, strings.Join(refused, ", "))}
	}
	if len(invalid) > 0 {
		return targets, &problem{"EndpointInvalid", fmt.Sprintf("%s has endpoints that are none: %q", ref, invalid)}
	}
	return targets, nil
}

// isHost tells addresses and names from what an API server would not have stored.
func isHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil && !strings.Contains(host, "%") || err != nil && len(validation.IsDNS1123Subdomain(host)) == 0 && kong.IsHost(host)
}

func isPort(port int) bool { return port >= 1 && port <= 65535 }

// drains tells endpoints that still serve while they terminate.
func drains(c discoveryv1.EndpointConditions) bool {
	return flagOr(c.Terminating, false) && flagOr(c.Serving, flagOr(c.Ready, true))
}

// flagOr is a condition's value, or its meaning when nobody set it.
func flagOr(value *bool, unset bool) bool {
	if value == nil {
		return unset
	}
	return *value
}

// slicePort is the number that a slice has for the Service's port of a name.
func slicePort(slice *discoveryv1.EndpointSlice, name string) (int, bool) {
	for _, p := range slice.Ports {
		if p.Port == nil {
			continue
		}
		if p.Name == nil && name == "" || p.Name != nil && *p.Name == name {
			return int(*p.Port), true
		}
	}
	return 0, false
}

// address joins a host and a port, with brackets around an IPv6 address.
func address(host string, port int) string {
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// isLocal tells hosts that are, or by their name are meant to be, on the gateway's
// own machine or link: there Kong's Admin API and cloud metadata services listen.
func isLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "ip6-localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return Local(ip)
}

// Local tells addresses of the gateway's own machine or link.
func Local(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsUnspecified()
}
