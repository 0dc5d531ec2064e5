package watch

import (
	"fmt"
	"reflect"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// validated is the field by which, up to Gateway API 1.3, a listener let by only clients
// with a good certificate. Later releases have the same for each port of a Gateway.
const validated = "frontendValidation"

// convertGateway puts what Gateway API 1.1 to 1.3 has in a Gateway where later releases
// have it: the certificate for backends, and how clients prove who they are.
func convertGateway(object map[string]any) {
	spec, _ := object["spec"].(map[string]any)
	if backend, ok := spec["backendTLS"].(map[string]any); ok {
		delete(spec, "backendTLS")
		if tls := child(spec, "tls"); tls["backend"] == nil {
			tls["backend"] = backend
		}
	}
	perPort := map[any]any{}
	for _, l := range listenersIn(spec) {
		tls, _ := l["tls"].(map[string]any)
		validation, has := tls[validated]
		if !has {
			continue
		}
		delete(tls, validated)
		switch before, known := perPort[l["port"]]; {
		case !known:
			perPort[l["port"]] = validation
			frontend := child(child(spec, "tls"), "frontend")
			if frontend["default"] == nil {
				frontend["default"] = map[string]any{}
			}
			list, _ := frontend["perPort"].([]any)
			frontend["perPort"] = append(list, map[string]any{"port": l["port"], "tls": map[string]any{"validation": validation}})
		case !reflect.DeepEqual(before, validation):
			refuse(l, "another %s than another listener of the port")
		}
	}
}

// convertXListenerSet keeps from being served what would be for clients with a certificate
// alone: ListenerSets have no word for it.
func convertXListenerSet(object map[string]any) {
	spec, _ := object["spec"].(map[string]any)
	for _, l := range listenersIn(spec) {
		tls, _ := l["tls"].(map[string]any)
		if _, has := tls[validated]; has {
			delete(tls, validated)
			refuse(l, "%s in an XListenerSet")
		}
	}
}

// refuse makes a listener one of a protocol that is not served, whose name says why.
func refuse(listener map[string]any, why string) {
	listener["protocol"] = fmt.Sprintf("%v with "+why, listener["protocol"], validated)
}

func listenersIn(spec map[string]any) (listeners []map[string]any) {
	list, _ := spec["listeners"].([]any)
	for _, l := range list {
		if listener, ok := l.(map[string]any); ok {
			listeners = append(listeners, listener)
		}
	}
	return listeners
}

// child is a map in a map, which is made if it is not there.
func child(of map[string]any, name string) map[string]any {
	made, ok := of[name].(map[string]any)
	if !ok {
		made = map[string]any{}
		of[name] = made
	}
	return made
}

// completeListeners adds the kinds of routes that a listener takes where there are none:
// up to Gateway API 1.4 they are required.
func completeListeners(_ unit.Object, status map[string]any) {
	for _, l := range listenersIn(status) {
		if l["supportedKinds"] == nil {
			l["supportedKinds"] = []any{}
		}
	}
}

// completeXListenerSet adds also the ports of listeners.
func completeXListenerSet(object unit.Object, status map[string]any) {
	completeListeners(object, status)
	set, ok := object.(*experimental.XListenerSet)
	if !ok {
		return
	}
	ports := map[any]gatewayv1.PortNumber{}
	for _, entry := range set.Spec.Listeners {
		ports[string(entry.Name)] = entry.Port
	}
	for _, l := range listenersIn(status) {
		l["port"] = ports[l["name"]]
	}
}
