package anything

import (
	"fmt"
	"reflect"
	"time"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Namespaces of two tenants. The attacker must not change anything for the victim.
const (
	Victim   = "default"
	Attacker = "other"
)

// Victims returns objects of the victim's namespace and of the operator. None of them grants anything to
// another namespace.
func Victims(from []byte) (all []unit.Change) {
	for _, c := range append(Population(), Objects(from)...) {
		if permitsNothing(c.Object) {
			all = append(all, c)
		}
	}
	return all
}

// permitsNothing makes an object one of the victim or the operator, and removes what it grants to
// other namespaces. It returns false for an object that is nothing but a grant.
func permitsNothing(object unit.Object) bool {
	switch o := object.(type) {
	case *gatewayv1.ReferenceGrant:
		return false
	case *gatewayv1.Gateway:
		o.Spec.AllowedListeners = nil
		for i := range o.Spec.Listeners {
			if routes := o.Spec.Listeners[i].AllowedRoutes; routes != nil {
				routes.Namespaces = nil
			}
		}
	}
	if object.GetNamespace() == Attacker {
		return false
	}
	referElsewhere(reflect.ValueOf(object).Elem())
	return true
}

// referElsewhere replaces the attacker's namespace in each reference with one without objects, because
// an object depends on what it refers to.
func referElsewhere(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			referElsewhere(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			referElsewhere(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := reflect.Indirect(v.Field(i))
			if v.Type().Field(i).Name == "Namespace" && f.Kind() == reflect.String && f.String() == Attacker {
				f.SetString("elsewhere")
			} else if f.IsValid() {
				referElsewhere(f)
			}
		}
	}
}

// Attack returns objects of the attacker's namespace. They are younger than all others, or older; then
// they claim nothing that others may claim too.
func Attack(from []byte, older bool) []unit.Change {
	since := metav1.NewTime(time.Unix(2100000000, 0).UTC())
	if older {
		since = metav1.NewTime(time.Unix(1900000000, 0).UTC())
	}
	var all []unit.Change
	for i, c := range Objects(from) {
		if c.Object.GetNamespace() == "" || older && !uncontested(c.Object) {
			continue
		}
		c.Key.Namespace = Attacker
		c.Object.SetNamespace(Attacker)
		c.Object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-a000-%012x", i)))
		c.Object.SetCreationTimestamp(since)
		all = append(all, c)
	}
	return all
}

// uncontested replaces an object's hosts, names and keys with unique ones. It returns false for an object that claims
// a port, because ports are shared by all namespaces.
func uncontested(object unit.Object) bool {
	own := func(text string) string { return "own-" + text }
	annotations := object.GetAnnotations()
	for _, name := range []string{"konghq.com/snis", "konghq.com/host-aliases"} {
		if _, ok := annotations[name]; ok {
			annotations[name] = "own.evil"
		}
	}
	switch o := object.(type) {
	case *networkingv1.Ingress:
		o.Spec.DefaultBackend = nil
		for i := range o.Spec.Rules {
			o.Spec.Rules[i].Host = "own.evil"
		}
		for i := range o.Spec.TLS {
			o.Spec.TLS[i].Hosts = []string{"own.evil"}
		}
	case *gatewayv1.HTTPRoute:
		o.Spec.Hostnames = []gatewayv1.Hostname{"own.evil"}
	case *gatewayv1.GRPCRoute:
		o.Spec.Hostnames = []gatewayv1.Hostname{"own.evil"}
	case *configurationv1.KongConsumer:
		if o.Username != "" {
			o.Username = own(o.Username)
		}
		if o.CustomID != "" {
			o.CustomID = own(o.CustomID)
		}
	case *corev1.Secret:
		for _, name := range []string{"key", "username", "client_id"} {
			if value, ok := o.Data[name]; ok {
				o.Data[name] = []byte(own(string(value)))
			}
		}
	case *configurationv1alpha1.KongCustomEntity:
		o.Spec.Fields.Raw = []byte(`{"name":"own"}`)
	case *gatewayv1.Gateway, *gatewayv1.ListenerSet, *experimental.XListenerSet, *gatewayv1.TCPRoute, *gatewayv1.UDPRoute, *gatewayv1.TLSRoute,
		*configurationv1beta1.TCPIngress, *configurationv1beta1.UDPIngress:
		return false
	}
	return true
}
