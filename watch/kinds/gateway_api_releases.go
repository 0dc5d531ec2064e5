package kinds

import (
	"reflect"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// frontendValidation is the field by which a listener required client certificates up to
// Gateway API 1.3. Later releases have a field for each port of a Gateway.
const frontendValidation = "frontendValidation"

// convertGateway moves fields of Gateway API 1.1 to 1.3 to their place in later releases: the
// client certificate for backends, and the validation of client certificates.
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
		validation, has := tls[frontendValidation]
		if !has {
			continue
		}
		delete(tls, frontendValidation)
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
			l["protocol"] = string(experimental.DifferentFrontendValidation)
		}
	}
}

// convertXListenerSet marks listeners that require client certificates as invalid.
// ListenerSets have no field for that, and without it the listeners would serve every client.
func convertXListenerSet(object map[string]any) {
	spec, _ := object["spec"].(map[string]any)
	for _, l := range listenersIn(spec) {
		tls, _ := l["tls"].(map[string]any)
		if _, has := tls[frontendValidation]; has {
			delete(tls, frontendValidation)
			l["protocol"] = string(experimental.FrontendValidationInListenerSet)
		}
	}
}

// ignoredOfRoute returns the idle timeouts of sessions, a field of Gateway API 1.1 to 1.5.
func ignoredOfRoute(object map[string]any) (ignored []IgnoredField) {
	spec, _ := object["spec"].(map[string]any)
	rules, _ := spec["rules"].([]any)
	for i, r := range rules {
		rule, _ := r.(map[string]any)
		session, _ := rule["sessionPersistence"].(map[string]any)
		if _, has := session["idleTimeout"]; has {
			ignored = append(ignored, IgnoredField{
				Path:   field.NewPath("spec", "rules").Index(i).Child("sessionPersistence", "idleTimeout"),
				Reason: "Gateway API no longer has it; set absoluteTimeout to limit how long a session lasts",
			})
		}
	}
	return ignored
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

// child returns the map with a name in another map. It adds a missing one.
func child(of map[string]any, name string) map[string]any {
	made, ok := of[name].(map[string]any)
	if !ok {
		made = map[string]any{}
		of[name] = made
	}
	return made
}

// completeListeners adds an empty list of supported kinds to the listeners without one. The
// field is required up to Gateway API 1.4.
func completeListeners(_ unit.Object, status map[string]any) {
	for _, l := range listenersIn(status) {
		if l["supportedKinds"] == nil {
			l["supportedKinds"] = []any{}
		}
	}
}

// completeXListenerSet also adds the ports of listeners.
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
