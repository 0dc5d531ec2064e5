package cluster

import (
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// scope is the part of a cluster that one informer sees. The zero value is the whole cluster.
type scope struct {
	namespace string
	name      string
	// optional says that the kind is left out if it may not be listed.
	optional bool
}

// scopes returns the scopes in which a kind is watched. Without namespaces that is the whole
// cluster. With namespaces, cluster-scoped objects are optional, and of the Namespaces only
// the listed ones are watched. Custom kinds are always optional, because their permissions
// are separate features.
func scopes(namespaces []string, kind kinds.Kind) []scope {
	if len(namespaces) == 0 {
		return []scope{{optional: kind.Custom}}
	}
	if !kind.Namespaced && kind.Name != unit.Namespace {
		return []scope{{optional: true}}
	}
	var scopes []scope
	for _, namespace := range namespaces {
		if kind.Namespaced {
			scopes = append(scopes, scope{namespace: namespace, optional: kind.Custom})
		} else {
			scopes = append(scopes, scope{name: namespace, optional: true})
		}
	}
	return scopes
}
