package owned

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Ports is the key of the port record's owner, which is not an object of the cluster.
var Ports = unit.Kind("Ports of Gateways").Key("", "")

// PortRecord returns the key of the ConfigMap that records which Gateway has which port of Kong.
// It is in the namespace of the Service in front of Kong, where no tenant can write. Only
// recorded assignments persist.
func PortRecord(front types.NamespacedName) unit.Key {
	return unit.ConfigMap.Key(front.Namespace, front.Name+"-gateway-ports")
}

// Recorded reports whether the record has all ports of a Gateway's Service.
func Recorded(record *corev1.ConfigMap, service *corev1.Service) bool {
	name := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	for _, p := range service.Spec.Ports {
		if record == nil || record.Data[p.TargetPort.String()] != PortHolder(name, p.Name) {
			return false
		}
	}
	return true
}

// PortHolder returns the record's value for a port of a Service: "http-80 of shop/web-kong".
func PortHolder(service types.NamespacedName, port string) string {
	return fmt.Sprintf("%s of %s", port, service)
}
