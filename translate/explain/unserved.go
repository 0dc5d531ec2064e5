package explain

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// unserved returns why the translation makes nothing of an object on which it has no verdicts: it
// belongs to another class or controller, or its parent does not exist.
func (c *Configuration) unserved(key unit.Key) []Finding {
	object := c.graph.Object(key)
	switch o := object.(type) {
	case *networkingv1.Ingress:
		return []Finding{c.otherClass(key, o)}
	case *gatewayv1.HTTPRoute:
		return c.withoutParent(key, o.Spec.ParentRefs)
	case *gatewayv1.GRPCRoute:
		return c.withoutParent(key, o.Spec.ParentRefs)
	case *gatewayv1.TLSRoute:
		return c.withoutParent(key, o.Spec.ParentRefs)
	case *gatewayv1.TCPRoute:
		return c.withoutParent(key, o.Spec.ParentRefs)
	case *gatewayv1.UDPRoute:
		return c.withoutParent(key, o.Spec.ParentRefs)
	}
	at := field.NewPath("metadata", "annotations").Key(class.Annotation)
	name := object.GetAnnotations()[class.Annotation]
	return []Finding{{Object: Object(key), Field: at, Reason: reasonOtherClass, Why: fmt.Sprintf("the object is of class %q, which this gateway does not serve", name)}}
}

// The reasons of findings that are not verdicts.
const (
	reasonOtherClass      = "OtherClass"
	reasonParentNotFound  = "ParentNotFound"
	reasonOtherController = "OtherController"
	reasonNoEndpoints     = "NoEndpoints"
	reasonEndpointPort    = "EndpointPortNotFound"
	reasonNotReady        = "EndpointNotReady"
	reasonOtherProtocol   = "OtherProtocol"
	reasonNoBackend       = "NoBackend"

	reasonCertificateExpired     = "CertificateExpired"
	reasonCertificateNotYetValid = "CertificateNotYetValid"
)

func (c *Configuration) otherClass(key unit.Key, o *networkingv1.Ingress) Finding {
	f := Finding{Object: Object(key), Field: field.Spec.Child("ingressClassName"), Reason: reasonOtherClass}
	switch name := o.Annotations[class.Annotation]; {
	case name != "":
		f.Field = field.NewPath("metadata", "annotations").Key(class.Annotation)
		f.Why = fmt.Sprintf("the Ingress is of class %q, which this gateway does not serve", name)
	case o.Spec.IngressClassName != nil:
		f.Why = fmt.Sprintf("the Ingress is of class %q, which this gateway does not serve", *o.Spec.IngressClassName)
	default:
		f.Field, f.Reason, f.Why = field.Spec, "ClassMissing", "the Ingress has no class, and the gateway's class is not the default one"
	}
	return f
}

// withoutParent returns why none of a route's parents is this gateway's.
func (c *Configuration) withoutParent(key unit.Key, refs []gatewayv1.ParentReference) (found []Finding) {
	for i, ref := range refs {
		parent := unit.Kind(ptr.Deref(ref.Kind, "Gateway")).Key(string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(key.Namespace))), string(ref.Name))
		if role, ok := gateway.Roles[parent.Kind]; ok && unit.Value(c.graph, role.Of(parent.Namespace, parent.Name)) != nil {
			continue // its verdicts say why the route is not served
		}
		f := Finding{Object: Object(key), Field: field.Spec.Child("parentRefs").Index(i).Child("name"), Reason: reasonParentNotFound, Why: fmt.Sprintf("%s does not exist", parent)}
		if g, ok := c.graph.Object(parent).(*gatewayv1.Gateway); ok {
			f.Reason, f.Why = c.otherController(parent, g)
			f.Object, f.Field = Object(parent), field.Spec.Child("gatewayClassName")
		} else if c.graph.Object(parent) != nil {
			f.Reason, f.Why = reasonOtherController, fmt.Sprintf("%s does not belong to this gateway", parent)
		}
		found = append(found, f)
	}
	if len(refs) == 0 {
		found = []Finding{{Object: Object(key), Field: field.Spec.Child("parentRefs"), Reason: reasonParentNotFound, Why: "the route names no parent"}}
	}
	return found
}

func (c *Configuration) otherController(key unit.Key, g *gatewayv1.Gateway) (reason, why string) {
	name := string(g.Spec.GatewayClassName)
	if gatewayClass, ok := c.graph.Object(unit.GatewayClass.Key("", name)).(*gatewayv1.GatewayClass); ok {
		return reasonOtherController, fmt.Sprintf("%s is of GatewayClass %s of the controller %q, which is not this gateway", key, name, gatewayClass.Spec.ControllerName)
	}
	return reasonParentNotFound, fmt.Sprintf("%s is of GatewayClass %s, which does not exist", key, name)
}

// lacksEndpoints reports whether a Service is one of which a backend of the answer has no endpoints.
func (c *Configuration) lacksEndpoints(a *Answer, service unit.Key) bool {
	if a.Service != nil && a.Service.Object.Kind == unit.Service && a.Service.Object.Key() != service && len(a.Backends) == 1 {
		return false
	}
	return slices.ContainsFunc(a.Backends, func(b Backend) bool { return b.Status >= 500 })
}

// missingEndpoints returns why a Service has no endpoints; nil if it has some.
func (c *Configuration) missingEndpoints(key unit.Key) (found []Finding) {
	service, ok := c.graph.Object(key).(*corev1.Service)
	if !ok {
		return nil
	}
	var of []*discoveryv1.EndpointSlice
	for _, object := range c.graph.Objects(unit.EndpointSlice) {
		slice, ok := object.(*discoveryv1.EndpointSlice)
		if ok && slice.Namespace == key.Namespace && slice.Labels[discoveryv1.LabelServiceName] == key.Name {
			of = append(of, slice)
		}
	}
	if len(of) == 0 {
		return []Finding{{Object: Object(key), Field: field.Spec.Child("selector"), Reason: reasonNoEndpoints, Why: "no EndpointSlice belongs to the Service: no pod matches its selector"}}
	}
	for i, port := range service.Spec.Ports {
		if !inSlices(of, port.Name) {
			found = append(found, Finding{Object: Object(key), Field: field.Spec.Child("ports").Index(i).Child("targetPort"), Reason: reasonEndpointPort,
				Why: fmt.Sprintf("no endpoint has the port %q of the Service: the pods have no port %s", port.Name, port.TargetPort.String())})
		}
	}
	for _, slice := range of {
		found = append(found, unready(slice)...)
	}
	return found
}

func inSlices(all []*discoveryv1.EndpointSlice, port string) bool {
	return slices.ContainsFunc(all, func(s *discoveryv1.EndpointSlice) bool { _, ok := backend.SlicePort(s, port); return ok })
}

// unready returns the endpoints of a slice that are not ready.
func unready(slice *discoveryv1.EndpointSlice) (found []Finding) {
	for i, e := range slice.Endpoints {
		if ptr.Deref(e.Conditions.Ready, true) {
			continue
		}
		who := strings.Join(e.Addresses, ", ")
		if e.TargetRef != nil {
			who = e.TargetRef.Kind + " " + e.TargetRef.Name
		}
		found = append(found, Finding{Object: Object(unit.EndpointSlice.Of(slice)), Field: field.NewPath("endpoints").Index(i).Child("conditions", "ready"),
			Reason: reasonNotReady, Why: who + " is not ready"})
	}
	return found
}
