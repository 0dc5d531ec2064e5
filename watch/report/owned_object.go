package report

import (
	"context"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// howToPermit is the advice to users of a gateway without the optional role.
const howToPermit = "; kong-conf/manifests/gatewayservices has the role that permits it, " +
	"and Gateways of a class with the annotation konghq.com/gatewayclass-unmanaged need no Service"

// applier applies objects.
type applier interface {
	// Apply applies an object and returns its new version. It fails with a conflict if the
	// object has a version and the cluster has another one.
	Apply(ctx context.Context, key unit.Key, object unit.Object) (version string, err error)
}

// keyOf returns the key of an object that names its kind.
func keyOf(object unit.Object) unit.Key {
	return unit.Kind(object.GetObjectKind().GroupVersionKind().Kind).Key(object.GetNamespace(), object.GetName())
}
