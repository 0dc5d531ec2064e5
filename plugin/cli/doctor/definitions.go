package doctor

import (
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/gatewayapi/gatewayclass"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// define is the command that defines kinds.
func define(bundle string) string {
	return "kube-sync definitions -only " + bundle + " | kubectl apply --server-side -f -"
}

// defined examines which custom kinds the API server serves, and in which release.
func defined(states []cluster.KindState, bundles map[string]string, err error) []Finding {
	f := findings{area: "definitions"}
	if err != nil {
		f.unread("the definitions of the custom kinds", err)
		return f.all
	}
	gatewayAPI := func(group string) bool { return strings.HasPrefix(group, "gateway.networking.") }
	f.bundle("Gateway API", "gateway-api", states, gatewayAPI)
	f.bundle("Kong", "kong", states, func(group string) bool { return !gatewayAPI(group) })
	release, defined := bundles["gatewayclasses."+gatewayv1.GroupName]
	switch {
	case !defined:
	case release == "":
		f.unknown("", "the release of Gateway API is unknown: its definitions have no annotation %s", consts.BundleVersionAnnotation)
	case gatewayclass.Supported(release):
		f.ok("Gateway API is %s; tested with %s", release, consts.BundleVersion)
	default:
		f.add(Warning, define("gateway-api"), "Gateway API is %s, which is not supported: only what it has in common with %s works", release, consts.BundleVersion)
	}
	return f.all
}

// bundle examines the kinds of a bundle of definitions.
func (f *findings) bundle(name, bundle string, states []cluster.KindState, is func(group string) bool) {
	var undefined, unsupported []string
	all := 0
	for _, s := range states {
		if !is(s.Resource.Group) {
			continue
		}
		all++
		switch s.State {
		case cluster.Undefined:
			undefined = append(undefined, s.Resource.Resource)
		case cluster.Unsupported:
			unsupported = append(unsupported, s.Resource.Resource)
		}
	}
	switch {
	case len(undefined) == all:
		f.add(Warning, define(bundle), "the kinds of %s are not defined: their objects cannot be created", name)
	case len(undefined) > 0:
		f.ok("%d of %d kinds of %s are defined; not: %s", all-len(undefined), all, name, strings.Join(undefined, ", "))
	default:
		f.ok("all %d kinds of %s are defined", all, name)
	}
	if len(unsupported) > 0 {
		f.add(Failure, define(bundle), "%s are served only in versions that cannot be read", strings.Join(unsupported, ", "))
	}
}
