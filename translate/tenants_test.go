package translate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const victim, attacker = "default", "other"

// FuzzTenants holds that nothing in one namespace changes what becomes of another's objects:
// the entities and verdicts of a namespace are the same with and without whatever there is in
// another one. What two namespaces may contest goes to the oldest: either that is the victim,
// or the attacker contests nothing. Of the victim's objects none permits the attacker anything.
func FuzzTenants(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(someBytes(seed, 3000), someBytes(seed+1000, 3000), seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, of, against []byte, older bool) {
		o := translate.Options{IngressClass: "kong"}
		o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
		g := translate.New(o)
		for _, c := range slices.Concat(anything.Population(), anything.Objects(of)) {
			if permitsNothing(c.Object) {
				g.Update(c)
			}
		}
		before := ofVictim(stateOf(g))
		attack := attackOf(against, older)
		g.Update(attack...)
		if diff := cmp.Diff(before, ofVictim(stateOf(g))); diff != "" {
			t.Errorf("the victim's part changed:\n%s", diff)
		}
		for _, c := range attack {
			g.Update(unit.Change{Key: c.Key})
		}
		if diff := cmp.Diff(before, ofVictim(stateOf(g))); diff != "" {
			t.Errorf("the victim's part is not what it was when the attacker has gone:\n%s", diff)
		}
	})
}

// permitsNothing makes an object one of the victim's, or the operator's, that lets nobody
// else do anything. It is false for an object that could only do that.
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
	return object.GetNamespace() != attacker
}

// attackOf makes objects the attacker's, all of one namespace. They are younger than all
// others, or older, and then ask for nothing that only one can have and others may ask for.
func attackOf(from []byte, older bool) []unit.Change {
	since := metav1.NewTime(time.Unix(2100000000, 0).UTC())
	if older {
		since = metav1.NewTime(time.Unix(1900000000, 0).UTC())
	}
	var all []unit.Change
	for i, c := range anything.Objects(from) {
		if c.Object.GetNamespace() == "" || older && !uncontested(c.Object) {
			continue
		}
		c.Key.Namespace = attacker
		c.Object.SetNamespace(attacker)
		c.Object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-a000-%012x", i)))
		c.Object.SetCreationTimestamp(since)
		all = append(all, c)
	}
	return all
}

// uncontested gives an object hosts, names and keys of its own. It is false for an object
// that asks for a port, of which there is one for all.
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
	case *gatewayv1.Gateway, *gatewayv1.ListenerSet, *gatewayv1.TCPRoute, *gatewayv1.UDPRoute, *gatewayv1.TLSRoute,
		*configurationv1beta1.TCPIngress, *configurationv1beta1.UDPIngress:
		return false
	}
	return true
}

// ofVictim is the part of a state that is the victim's.
func ofVictim(s state) state {
	part := state{Units: map[unit.ID]string{}, Verdicts: map[unit.Key]string{}}
	for id, entities := range s.Units {
		if id.Namespace == victim {
			part.Units[id] = entities
		}
	}
	for key, verdicts := range s.Verdicts {
		if key.Namespace == victim {
			part.Verdicts[key] = strings.TrimSpace(verdicts)
		}
	}
	return part
}
