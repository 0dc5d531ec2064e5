package hostname

import (
	"iter"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Valid reports whether a host is a host name, with or without a wildcard, or empty. An API server
// stores no others.
func Valid(h route.Host) bool {
	name := string(h)
	if h.Wildcard() {
		name = h.Domain()
	}
	return h == "" || len(validation.IsDNS1123Subdomain(name)) == 0
}

// Covers reports whether all names of the one host are among those of the other.
func Covers(wide, narrow route.Host) bool {
	switch {
	case wide == "" || wide == narrow:
		return true
	case wide.Wildcard():
		return strings.HasSuffix(string(narrow), "."+wide.Domain())
	}
	return false
}

// Intersection returns the names that both hosts have: those of the narrower one, if any.
func Intersection(a, b route.Host) (route.Host, bool) {
	switch {
	case Covers(a, b):
		return b, true
	case Covers(b, a):
		return a, true
	}
	return "", false
}

// Of returns the host that a hostname is; empty for any.
func Of(hostname *gatewayv1.Hostname) route.Host {
	return route.Host(strings.ToLower(string(ptr.Deref(hostname, ""))))
}

// Wider returns the hosts that cover a host and are not it, the widest last.
func Wider(host route.Host) (all []route.Host) {
	if host == "" {
		return nil
	}
	name := domainOf(host)
	for {
		_, domain, ok := strings.Cut(name, ".")
		if !ok {
			return append(all, "")
		}
		all, name = append(all, route.Host("*."+domain)), domain
	}
}

// Between yields the hosts from a wide one, which is left out, to one that it covers, the widest
// first. No more of them are made than are asked for: names may have many labels.
func Between(wide, host route.Host) iter.Seq[route.Host] {
	return func(yield func(route.Host) bool) {
		name := domainOf(host)
		for at := strings.LastIndexByte(name, '.'); at >= 0; at = strings.LastIndexByte(name[:at], '.') {
			if domain := name[at+1:]; len(domain) > len(domainOf(wide)) && !yield(route.Host("*."+domain)) {
				return
			}
		}
		if host != wide {
			yield(host)
		}
	}
}

// domainOf is a host without its wildcard.
func domainOf(host route.Host) string {
	if host.Wildcard() {
		return host.Domain()
	}
	return string(host)
}

// InName returns a host as names of Kong's entities have it.
func InName(host route.Host) string {
	if host == "" {
		return "_"
	}
	return strings.ReplaceAll(string(host), "*", "_")
}
