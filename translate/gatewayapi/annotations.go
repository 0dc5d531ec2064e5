package gatewayapi

import (
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ClassAnnotations and GatewayAnnotations are those that the Kong Ingress Controller reads
// on GatewayClasses and Gateways.
var (
	ClassAnnotations   = []string{annotation.GatewayClassUnmanaged}
	GatewayAnnotations = []string{annotation.PublishService}
)

// publishService says where the annotation, which the Kong Ingress Controller wrote into
// the Gateways of its classes, names another Service than the one that a Gateway is
// reached by.
func (o Options) publishService(gateway *gatewayv1.Gateway, key unit.Key, pooled bool) []unit.Verdict {
	named := annotation.Of(gateway, key).Items(annotation.PublishService)
	reached := o.Front
	if pooled {
		reached = serviceName(gateway)
	}
	if len(named) == 0 || reached.Name == "" || slices.Contains(named, reached.String()) {
		return nil
	}
	return []unit.Verdict{unit.Warning(key, "AnnotationWithoutEffect", fmt.Sprintf(
		"annotation %s%s has no effect: the Gateway is reached by Service %s and not by %s",
		annotation.Prefix, annotation.PublishService, reached, strings.Join(named, ", "))).At(annotation.Field(annotation.PublishService))}
}
