package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

const twoGateways = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: one}
spec:
  gatewayClassName: kong
  infrastructure: {labels: {team: shop}}
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: other, port: 8080, protocol: HTTP}
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: two}
spec:
  gatewayClassName: kong
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
`

func routeTo(name, parent, host, backend string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s}
spec:
  parentRefs: [%s]
  hostnames: [%s]
  rules: [{backendRefs: [{name: %s, port: 80}]}]
---
`, name, parent, host, backend)
}

// deployed returns a cluster with Gateway API and the gateway of install.yaml, in which each Gateway gets a
// Service and an address. The variables are Kong's.
func deployed(t *testing.T, env map[string]string) (*lab.ControlPlane, *pod.Pod) {
	t.Helper()
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs the gateway itself")
	}
	pod.NeedPlugins(t)
	cp := lab.StartControlPlane(t)
	gatewayKinds(t, cp)
	return cp, pod.Deploy(t, cp, env)
}

// Each Gateway has its own address. Requests to it reach only its routes, whatever the port in their Host
// header.
func TestGatewaysApart(t *testing.T) {
	cp, gw := deployed(t, nil)
	ns := cp.Namespace(t)
	host := "shop.example"
	cp.MustApply(t, ns, keyPair(host).secret("cert")+"---"+twoGateways+deployment("a", 1)+deployment("b", 1)+
		routeTo("a", "{name: one, port: 80}", host, "a")+routeTo("b", "{name: two}", host, "b")+
		routeTo("other", "{name: one, sectionName: other}", host, "b")+
		routeTo("secure", "{name: one, sectionName: https}", host, "b")+app("web", "web.example", 1))
	one, two := addressOf(t, cp, ns, "one"), addressOf(t, cp, ns, "two")
	for _, test := range []struct {
		origin, host, pod, port string
	}{
		{"http://" + one, host, "a", "80"},
		{"http://" + one, host + ":20001", "a", "80"},
		{"http://" + two, host, "b", "80"},
		{"http://" + two, host + ":20000", "b", "80"},
		{"http://" + one + ":8080", host + ":8080", "b", "8080"},
		{"https://" + one, host, "b", "443"},
		{"http://" + one, host, "a", "80"}, // not what the request over TLS had
		{"http://" + gw.HTTP, "web.example", "web", "80"},
		{"http://" + gw.HTTP, host, "", ""},
		{"http://" + one, "web.example", "", ""},
		{"http://" + two + ":8080", host, "", ""},
	} {
		if err := reaches(test.origin, test.host, test.pod, test.port); err != nil {
			t.Errorf("%s for %s: %v", test.origin, test.host, err)
		}
	}
	service, err := cp.Client.CoreV1().Services(ns).Get(t.Context(), "one-kong", metav1.GetOptions{})
	if err != nil || service.Labels["team"] != "shop" || len(service.Spec.Ports) != 3 {
		t.Errorf("the Gateway's Service is %+v, %v", service, err)
	}

	ledToAnother(t, cp, ns, func() error {
		return errors.Join(reaches("http://"+one, host, "a", "80"), reaches("http://"+two, host, "b", "80"))
	})

	// Services and ports that are not needed any more are removed.
	class := "other"
	patch := fmt.Appendf(nil, `{"spec":{"gatewayClassName":%q}}`, class)
	if _, err := cp.Dynamic.Resource(gateways).Namespace(ns).Patch(t.Context(), "two", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, time.Minute, func() error {
		_, err := cp.Client.CoreV1().Services(ns).Get(t.Context(), "two-kong", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the Service of a Gateway that is of another class now: %v", err)
		}
		return nil
	})
	if err := reaches("http://"+one, host, "a", "80"); err != nil {
		t.Error(err)
	}
}

// ledToAnother changes the Service of the older Gateway to the port of the younger one. The port stays with the
// younger one, and the record of ports does not change.
func ledToAnother(t *testing.T, cp *lab.ControlPlane, ns string, served func() error) {
	t.Helper()
	target := func(name string) int32 {
		service, err := cp.Client.CoreV1().Services(ns).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range service.Spec.Ports {
			if p.Port == 80 {
				return p.TargetPort.IntVal
			}
		}
		return 0
	}
	recorded := func() map[string]string {
		record, err := cp.Client.CoreV1().ConfigMaps(gatewayNamespace).Get(t.Context(), "kong-proxy-gateway-ports", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return record.Data
	}
	before, older, younger := recorded(), target("one-kong"), target("two-kong")
	if want := "http-80 of " + ns + "/two-kong"; before[fmt.Sprint(younger)] != want {
		t.Errorf("the record has %v, and not %q for %d", before, want, younger)
	}
	patch := fmt.Appendf(nil, `{"spec":{"ports":[{"port":80,"protocol":"TCP","targetPort":%d}]}}`, younger)
	if _, err := cp.Client.CoreV1().Services(ns).Patch(t.Context(), "one-kong", types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, time.Minute, func() error {
		if got := target("one-kong"); got != older {
			return fmt.Errorf("the older Gateway's Service leads to %d, want %d", got, older)
		}
		return nil
	})
	if err := served(); err != nil {
		t.Error(err)
	}
	if got := target("two-kong"); got != younger || !maps.Equal(recorded(), before) {
		t.Errorf("the younger Gateway's Service leads to %d, want %d, and the record was %v and is %v", got, younger, before, recorded())
	}
}

var gateways = gatewayv1.SchemeGroupVersion.WithResource("gateways")

// addressOf waits until a Gateway is programmed, and returns its only address.
func addressOf(t *testing.T, cp *lab.ControlPlane, namespace, name string) (address string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		g, err := typed[gatewayv1.Gateway](t, cp, "gateways", namespace, name)
		if err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(g.Status.Conditions, "Programmed") || len(g.Status.Addresses) != 1 {
			return fmt.Errorf("Gateway %s has the status %+v", name, g.Status)
		}
		address = g.Status.Addresses[0].Value
		return nil
	})
	return address
}

// reaches returns nil if a pod of the app answers and has received the port, or, without an app, if no pod
// answers.
func reaches(origin, host, app, port string) error {
	var last error
	good := 0
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		e, err := askAt(origin, http.MethodGet, host, "/")
		switch {
		case err != nil && app == "" && errors.As(err, new(*net.OpError)):
			return nil // nobody listens
		case err != nil:
			good, last = 0, err
		case app == "" && e.StatusCode == http.StatusNotFound,
			app != "" && strings.HasPrefix(e.Pod, app+"-") && (port == "" || e.Headers.Get("X-Forwarded-Port") == port):
			if good++; good == connections {
				return nil
			}
		default:
			good = 0
			last = fmt.Errorf("%d of %q, port %q; want %q and %q", e.StatusCode, e.Pod, e.Headers.Get("X-Forwarded-Port"), app, port)
		}
	}
	return last
}

// A host is redirected without TLS and served with TLS. That holds for each request, also if Kong has the route
// of the other one in its cache.
func testSchemes(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, keyPair(host).secret("cert")+"---"+`
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: both}
spec:
  gatewayClassName: kong
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: redirect}
spec:
  parentRefs: [{name: both, sectionName: http}]
  hostnames: [`+host+`]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]
---`+deployment("web", 1)+routeTo("web", "{name: both, sectionName: https}", host, "web"))
	if err := reaches("https://"+gw.HTTPS, host, "web", ""); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		plain, err := askAt("http://"+gw.HTTP, http.MethodGet, host, "/")
		if err != nil || plain.StatusCode != http.StatusFound || plain.Header.Get("Location") != "https://"+host+"/" {
			t.Fatalf("without TLS: %v, %v", plain.Response, err)
		}
		secure, err := askAt("https://"+gw.HTTPS, http.MethodGet, host, "/")
		if err != nil || secure.StatusCode != http.StatusOK {
			t.Fatalf("with TLS: %v, %v", secure.Response, err)
		}
	}
}
