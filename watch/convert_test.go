package watch

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func read(t *testing.T, manifest string) unit.Object {
	t.Helper()
	read, err := ReadManifests("m", strings.NewReader(manifest), AllKinds())
	if err != nil || len(read.Objects) != 1 {
		t.Fatalf("%v: %v", names(read), err)
	}
	return read.Objects[0].Object
}

// What Gateway API 1.3 has in other places of a Gateway has its effect, or is not served.
func TestGatewayOfOlderRelease(t *testing.T) {
	for name, test := range map[string]struct{ spec, want string }{
		"nothing older": {`listeners: [{name: a, port: 80, protocol: HTTP}]`, `listeners: [{name: a, port: 80, protocol: HTTP}]`},
		"a certificate for backends": {`backendTLS: {clientCertificateRef: {name: c}}`,
			`{tls: {backend: {clientCertificateRef: {name: c}}}}`},
		"the newer place wins": {`backendTLS: {clientCertificateRef: {name: old}}
  tls: {backend: {clientCertificateRef: {name: new}}}`,
			`tls: {backend: {clientCertificateRef: {name: new}}}`},
		"clients of one listener": {`listeners: [{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}], frontendValidation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}]`,
			`{tls: {frontend: {default: {}, perPort: [{port: 443, tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}]}},
  listeners: [{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}]}}]}`},
		"the same at two listeners of a port, another at a third": {`listeners:
  - {name: a, port: 443, protocol: HTTPS, tls: {frontendValidation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}
  - {name: b, port: 443, protocol: HTTPS, tls: {frontendValidation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}
  - {name: c, port: 443, protocol: HTTPS, tls: {frontendValidation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: other}]}}}`,
			`{tls: {frontend: {default: {}, perPort: [{port: 443, tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}]}},
  listeners: [{name: a, port: 443, protocol: HTTPS, tls: {}}, {name: b, port: 443, protocol: HTTPS, tls: {}},
    {name: c, port: 443, protocol: "HTTPS with another frontendValidation than another listener of the port", tls: {}}]}`},
	} {
		var tree map[string]any
		must(t, yaml.Unmarshal([]byte("spec:\n  "+test.spec), &tree))
		convertGateway(tree)
		got := &gatewayv1.Gateway{}
		must(t, convert(tree, got))
		var want gatewayv1.GatewaySpec
		if err := yaml.UnmarshalStrict([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Spec); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestXListenerSet(t *testing.T) {
	set, ok := read(t, `
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XListenerSet
metadata: {name: s}
spec:
  parentRef: {name: g}
  listeners:
  - {name: open, port: 80, protocol: HTTP}
  - {name: closed, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}], frontendValidation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}
`).(*experimental.XListenerSet)
	if !ok || set.Kind != "XListenerSet" || len(set.Spec.Listeners) != 2 || set.Spec.Listeners[0].Protocol != "HTTP" ||
		set.Spec.Listeners[1].Protocol != "HTTPS with frontendValidation in an XListenerSet" {
		t.Fatalf("read %+v", set)
	}
	kind := kindNamed(t, unit.XListenerSet)
	patch, err := replacing(kind, set, gatewayv1.ListenerSetStatus{Listeners: []gatewayv1.ListenerEntryStatus{{Name: "open"}}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(patch)
	if want := `{"listeners":[{"attachedRoutes":0,"name":"open","port":80,"supportedKinds":[]}]}`; string(text) != want {
		t.Errorf("status %s, want %s", text, want)
	}
}

// Definitions up to Gateway API 1.4 refuse a status of listeners without their kinds.
func TestStatusOfListenersHasKinds(t *testing.T) {
	for _, name := range []unit.Kind{unit.Gateway} {
		kind := kindNamed(t, name)
		patch, err := replacing(kind, kind.New(), gatewayv1.GatewayStatus{Listeners: []gatewayv1.ListenerStatus{{Name: "a"}}})
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := json.Marshal(patch); !strings.Contains(string(text), `"supportedKinds":[]`) {
			t.Errorf("%s: status %s", name, text)
		}
	}
}

func kindNamed(t *testing.T, name unit.Kind) Kind {
	t.Helper()
	for _, kind := range AllKinds() {
		if kind.Name == name {
			return kind
		}
	}
	t.Fatalf("no kind %s", name)
	return Kind{}
}
