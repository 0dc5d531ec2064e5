package routes

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// protocolsFor returns the protocols of Kong's route for listeners of these schemes, and the scheme
// that its requests must have; empty for any. The annotation may allow only some of the protocols. It
// is false if no listener has an allowed one.
//
// If a route in Kong has https only, Kong answers requests over HTTP with a redirect, or with 426.
// That happens here if the annotation allows https only and a listener is for HTTP.
func protocolsFor(schemes, allowed []string) (protocols []string, scheme string, ok bool) {
	plain, secure := slices.Contains(schemes, "http"), slices.Contains(schemes, "https")
	wantsPlain, wantsSecure := len(allowed) == 0, len(allowed) == 0
	for _, protocol := range allowed {
		wantsPlain = wantsPlain || protocol == "http" || protocol == "grpc"
		wantsSecure = wantsSecure || protocol == "https" || protocol == "grpcs"
	}
	switch {
	case wantsPlain && wantsSecure && plain && secure:
		return schemes, "", true
	case wantsPlain && plain:
		return []string{"http"}, "", true
	case !wantsSecure:
		return nil, "", false
	case plain && secure:
		return []string{"https"}, "", true
	case plain:
		return []string{"https"}, "http", true
	}
	return []string{"https"}, "https", true
}

// withAliases returns a route's host names and those of its annotation host-aliases. A route for all
// hosts needs no aliases.
func withAliases(object unit.Object, key unit.Key, hostnames []gatewayv1.Hostname) []gatewayv1.Hostname {
	if len(hostnames) == 0 {
		return nil
	}
	hostnames = slices.Clip(hostnames)
	for _, alias := range annotation.Of(object, key).HostAliases() {
		if name := gatewayv1.Hostname(alias); !alias.Open() && !slices.Contains(hostnames, name) {
			hostnames = append(hostnames, name)
		}
	}
	return hostnames
}

// aliases warns about host names of the annotation without effect.
func (t *requestTranslation) aliases(values *annotation.Values) {
	for _, alias := range values.HostAliases() {
		if alias.Open() {
			values.Invalid(annotation.HostAliases, string(alias), "supported for routes of Gateway API, where a wildcard must be the first label")
			continue
		}
		served := slices.ContainsFunc(t.attachment.bindings, func(b binding) bool {
			_, in := hostname.Intersection(b.host, alias)
			return in
		})
		if !served && len(t.attachment.hostnames) > 0 {
			values.Invalid(annotation.HostAliases, string(alias), "covered by the hostname of a listener")
		}
	}
}

// withAnnotations returns a match with the methods, SNIs and headers of the annotations added.
func (t *requestTranslation) withAnnotations(m route.Match) route.Match {
	if len(m.Methods) == 0 {
		m.Methods = t.base.Match.Methods
	}
	m.SNIs = t.base.Match.SNIs
	m.Headers = append(m.Headers, t.base.Match.Headers...)
	return m
}
