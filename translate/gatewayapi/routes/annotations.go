package routes

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// protocolsFor are the protocols of Kong's route for what comes by listeners of some
// schemes, where an annotation may ask for one alone, and the scheme that its requests have
// to be of; empty for any. It is false where the listeners have none of what is asked for.
//
// To a route of https alone Kong answers plain requests by asking for TLS, with a redirect
// if the status is one. So it does for plain requests that come by a listener if https is
// asked for, and for no others.
func protocolsFor(schemes, asked []string) (protocols []string, scheme string, ok bool) {
	plain, secure := slices.Contains(schemes, "http"), slices.Contains(schemes, "https")
	wantsPlain, wantsSecure := len(asked) == 0, len(asked) == 0
	for _, protocol := range asked {
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

// withAliases are a route's host names and those that its annotation adds. A route for all
// hosts has these too.
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

// aliases says which of the annotation's host names are without effect.
func (t *requestTranslation) aliases(values *annotation.Values) {
	for _, alias := range values.HostAliases() {
		if alias.Open() {
			values.Invalid(annotation.HostAliases, string(alias), "possible for routes of Gateway API, whose hosts have wildcards at the begin alone")
			continue
		}
		served := slices.ContainsFunc(t.attachment.bindings, func(b binding) bool {
			_, in := hostname.Intersection(b.host, alias)
			return in
		})
		if !served && len(t.attachment.hostnames) > 0 {
			values.Invalid(annotation.HostAliases, string(alias), "within the hosts of a listener")
		}
	}
}

// withAnnotations returns a match with what annotations ask for besides.
func (t *requestTranslation) withAnnotations(m route.Match) route.Match {
	if len(m.Methods) == 0 {
		m.Methods = t.base.Match.Methods
	}
	m.SNIs = t.base.Match.SNIs
	m.Headers = append(m.Headers, t.base.Match.Headers...)
	return m
}
