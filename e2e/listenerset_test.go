package e2e

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

const gatewayForSets = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shared}
spec:
  gatewayClassName: kong
  allowedListeners: {namespaces: {from: All}}
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: own.example}]
---
`

// A team of another namespace adds listeners to a Gateway, one with its own port and certificate. If two
// teams claim the same, the older one has it, and the other one gets it as soon as the older one is gone.
func TestListenerSets(t *testing.T) {
	cp, _ := deployed(t, nil)
	ns, team, late := cp.Namespace(t), cp.Namespace(t), cp.Namespace(t)
	const host = "team.example"
	cp.MustApply(t, ns, gatewayForSets+deployment("own", 1)+routeTo("own", "{name: shared}", "own.example, "+host, "own"))
	first := listenerSet(ns, `
  - {name: http, port: 80, protocol: HTTP, hostname: `+host+`}
  - {name: https, port: 8443, protocol: HTTPS, hostname: `+host+`, tls: {certificateRefs: [{name: cert}]}}
`)
	cp.MustApply(t, team, keyPair(host).secret("cert")+"---"+first+deployment("a", 1)+routeTo("a", "{kind: ListenerSet, name: set}", host, "a"))
	address := addressOf(t, cp, ns, "shared")
	wantSet(t, cp, team, "Programmed", "http", 1)
	nextSecond()
	cp.MustApply(t, late, listenerSet(ns, "\n  - {name: http, port: 80, protocol: HTTP, hostname: "+host+"}\n")+
		deployment("b", 1)+routeTo("b", "{kind: ListenerSet, name: set}", host, "b"))
	wantSet(t, cp, late, "ListenersNotValid", "http", 1)
	wantSets(t, cp, ns, "shared", 1)

	wantPod(t, "http://"+address, "own.example", "own", "80")
	wantPod(t, "http://"+address, host, "a", "80")
	wantPod(t, "https://"+address+":8443", host, "a", "8443")

	if err := cp.Delete(t.Context(), team, first); err != nil {
		t.Fatal(err)
	}
	wantSet(t, cp, late, "Programmed", "http", 1)
	wantSets(t, cp, ns, "shared", 1)
	wantPod(t, "http://"+address, host, "b", "80")
	wantPod(t, "http://"+address, "own.example", "own", "80")
}

// listenerSet returns the ListenerSet set of the Gateway shared.
func listenerSet(gatewayNamespace, listeners string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: set}
spec:
  parentRef: {name: shared, namespace: %s}
  listeners:%s---
`, gatewayNamespace, listeners)
}

func wantPod(t *testing.T, origin, host, app, port string) {
	t.Helper()
	if err := reaches(origin, host, app, port); err != nil {
		t.Errorf("%s for %s: %v", origin, host, err)
	}
}

// wantSet waits until a ListenerSet has a reason for being programmed or not, and a listener has a number of
// routes.
func wantSet(t *testing.T, cp *lab.ControlPlane, namespace, reason, listener string, attached int32) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		s, err := typed[gatewayv1.ListenerSet](t, cp, "listenersets", namespace, "set")
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(s.Status.Conditions, "Programmed")
		for _, l := range s.Status.Listeners {
			if c != nil && c.Reason == reason && string(l.Name) == listener && l.AttachedRoutes == attached {
				return nil
			}
		}
		return fmt.Errorf("the ListenerSet of namespace %s has the status %+v, want %s and %d routes at %s", namespace, s.Status, reason, attached, listener)
	})
}

// wantSets waits until a Gateway has a number of ListenerSets.
func wantSets(t *testing.T, cp *lab.ControlPlane, namespace, name string, attached int32) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		g, err := typed[gatewayv1.Gateway](t, cp, "gateways", namespace, name)
		if err != nil {
			return err
		}
		if n := g.Status.AttachedListenerSets; n == nil || *n != attached {
			return fmt.Errorf("Gateway %s has the status %+v, want %d ListenerSets", name, g.Status, attached)
		}
		return nil
	})
}
