package hostname

import (
	"iter"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Valid reports whether a host is empty or a valid host name, with or without a wildcard. An API
// server stores no others.
func Valid(h route.Host) bool {
	name := string(h)
	if h.Wildcard() {
		name = h.Domain()
	}
	return h == "" || len(validation.IsDNS1123Subdomain(name)) == 0
}

// Covers reports whether every name that narrow matches is matched by wide too.
func Covers(wide, narrow route.Host) bool {
	switch {
	case wide == "" || wide == narrow:
		return true
	case wide.Wildcard():
		return strings.HasSuffix(string(narrow), "."+wide.Domain())
	}
	return false
}

// Intersection returns the narrower host if it is covered by the other one; it is false if no name
// matches both.
func Intersection(a, b route.Host) (route.Host, bool) {
	switch {
	case Covers(a, b):
		return b, true
	case Covers(b, a):
		return a, true
	}
	return "", false
}

// Of returns a Hostname as a host, in lower case; empty, for any host, if there is none.
func Of(hostname *gatewayv1.Hostname) route.Host {
	return route.Host(strings.ToLower(string(ptr.Deref(hostname, ""))))
}

// Wider returns the other hosts that cover a host, the widest last.
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

// Between yields the hosts that wide covers and that cover host, from the widest to host itself;
// wide is left out. They are made lazily, because names may have many labels.
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

// domainOf returns a host without its wildcard.
func domainOf(host route.Host) string {
	if host.Wildcard() {
		return host.Domain()
	}
	return string(host)
}

// InName returns a host in the form that names of Kong's entities use.
func InName(host route.Host) string {
	if host == "" {
		return "_"
	}
	return strings.ReplaceAll(string(host), "*", "_")
}
