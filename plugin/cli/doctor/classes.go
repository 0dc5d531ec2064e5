package doctor

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

// classes examines the IngressClass and the GatewayClasses.
func (d Doctor) classes(ctx context.Context, p Patient, states []cluster.KindState) []Finding {
	f := findings{area: "classes"}
	name := p.Settings.IngressClass
	class, err := d.Clients.Core.NetworkingV1().IngressClasses().Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		f.add(Warning, "create it, as the chart does with ingressClass.create",
			"there is no IngressClass %s: Ingresses of the class are served, but it cannot be the default class", name)
	case err != nil:
		f.unread("the IngressClass "+name, err)
	default:
		f.ok("IngressClass %s exists, with the controller %s", name, class.Spec.Controller)
	}
	version, ok := servedVersion(states, unit.GatewayClass)
	if !ok {
		return f.all
	}
	all, err := listAll[gatewayv1.GatewayClass](ctx, d, version)
	if err != nil {
		f.unread("the GatewayClasses", err)
		return f.all
	}
	ours := 0
	for _, class := range all {
		if string(class.Spec.ControllerName) == p.Settings.GatewayController {
			ours++
			f.condition("GatewayClass "+class.Name, class.Status.Conditions, string(gatewayv1.GatewayClassConditionStatusAccepted))
		}
	}
	if ours == 0 {
		f.add(Warning, "create one, as the chart does with gatewayClass.create, or set GATEWAY_API_CONTROLLER_NAME",
			"there is no GatewayClass with the controller %s: no Gateway is served", p.Settings.GatewayController)
	}
	return f.all
}

// condition adds a finding about a condition of an object.
func (f *findings) condition(object string, conditions []metav1.Condition, name string) {
	switch c := meta.FindStatusCondition(conditions, name); {
	case c == nil || c.Reason == "Pending":
		f.add(Warning, "look at the lease, the rights and the pods", "%s has no condition %s: no gateway has written its status", object, name)
	case c.Status != metav1.ConditionTrue:
		f.add(Failure, "change the object as the message says", "%s is not %s: %s: %s", object, name, c.Reason, c.Message)
	default:
		f.ok("%s is %s", object, name)
	}
}

// servedVersion returns a kind's state; false if the kind is not served.
func servedVersion(states []cluster.KindState, kind unit.Kind) (cluster.KindState, bool) {
	at := slices.IndexFunc(states, func(s cluster.KindState) bool { return s.Kind == kind && s.State == cluster.Read })
	if at < 0 {
		return cluster.KindState{}, false
	}
	return states[at], true
}

// listAll returns all objects of a custom kind.
func listAll[T any](ctx context.Context, d Doctor, kind cluster.KindState) ([]T, error) {
	list, err := d.Clients.Dynamic.Resource(kind.Resource.WithVersion(kind.Version)).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	all := make([]T, len(list.Items))
	for i, item := range list.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &all[i]); err != nil {
			return nil, fmt.Errorf("%s %s/%s: %w", kind.Kind, item.GetNamespace(), item.GetName(), err)
		}
	}
	return all, nil
}

// listeners examines what the gateway says about the listeners of the Gateways that it serves, such
// as ports that nothing opens.
func (d Doctor) listeners(ctx context.Context, p Patient, states []cluster.KindState) []Finding {
	f := findings{area: "listeners"}
	classKind, ok := servedVersion(states, unit.GatewayClass)
	gatewayKind, served := servedVersion(states, unit.Gateway)
	if !ok || !served {
		return nil
	}
	classes, err := listAll[gatewayv1.GatewayClass](ctx, d, classKind)
	gateways, err2 := listAll[gatewayv1.Gateway](ctx, d, gatewayKind)
	if err != nil || err2 != nil {
		f.unread("the Gateways", cmpErr(err, err2))
		return f.all
	}
	ours := map[gatewayv1.ObjectName]bool{}
	for _, class := range classes {
		ours[gatewayv1.ObjectName(class.Name)] = string(class.Spec.ControllerName) == p.Settings.GatewayController
	}
	good := 0
	for _, gateway := range gateways {
		if ours[gateway.Spec.GatewayClassName] {
			good += f.gateway(gateway)
		}
	}
	if good > 0 {
		f.ok("%d listeners are accepted and programmed", good)
	}
	return f.all
}

// gateway adds the faults of a Gateway's listeners and returns how many have none.
func (f *findings) gateway(gateway gatewayv1.Gateway) (good int) {
	name := fmt.Sprintf("Gateway %s/%s", gateway.Namespace, gateway.Name)
	if len(gateway.Status.Addresses) == 0 {
		f.add(Warning, "look at the Service below", "%s has no address", name)
	}
	for _, listener := range gateway.Spec.Listeners {
		at := slices.IndexFunc(gateway.Status.Listeners, func(s gatewayv1.ListenerStatus) bool { return s.Name == listener.Name })
		listenerName := fmt.Sprintf("%s: the listener %s at port %d", name, listener.Name, listener.Port)
		if at < 0 {
			f.add(Warning, "look at the lease, the rights and the pods", "%s has no status: no gateway has written it", listenerName)
			continue
		}
		bad := 0
		for _, c := range gateway.Status.Listeners[at].Conditions {
			wrong := c.Status == metav1.ConditionFalse && c.Type != string(gatewayv1.ListenerConditionConflicted) ||
				c.Status == metav1.ConditionTrue && c.Type == string(gatewayv1.ListenerConditionConflicted)
			if wrong {
				bad++
				f.add(Failure, "change the listener as the message says", "%s: %s is %s: %s: %s", listenerName, c.Type, c.Status, c.Reason, c.Message)
			}
		}
		if bad == 0 {
			good++
		}
	}
	return good
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
