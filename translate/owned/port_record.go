package owned

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Ports is the key of the owner of the port record. The cluster has no such object.
var Ports = unit.Kind("Ports of Gateways").Key("", "")

// PortRecord is the key of the ConfigMap that records which Gateways have which ports of Kong.
// It is in the namespace of the Service in front of Kong, where no tenant can write. Only what
// it records makes an assignment last.
func PortRecord(front types.NamespacedName) unit.Key {
	return unit.ConfigMap.Key(front.Namespace, front.Name+"-gateway-ports")
}

// Recorded reports whether a record has all ports of the Service of a Gateway.
func Recorded(record *corev1.ConfigMap, service *corev1.Service) bool {
	name := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	for _, p := range service.Spec.Ports {
		if record == nil || record.Data[p.TargetPort.String()] != PortHolder(name, p.Name) {
			return false
		}
	}
	return true
}

// PortHolder is the value that a record has for a port of a Service: "http-80 of shop/web-kong".
func PortHolder(service types.NamespacedName, port string) string {
	return fmt.Sprintf("%s of %s", port, service)
}
