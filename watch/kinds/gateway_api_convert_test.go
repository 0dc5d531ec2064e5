package kinds

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// Fields that Gateway API 1.3 has in other places of a Gateway take effect, or their listener
// is refused.
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
    {name: c, port: 443, protocol: kube-sync.io/different-frontend-validation, tls: {}}]}`},
	} {
		var tree map[string]any
		if err := yaml.Unmarshal([]byte("spec:\n  "+test.spec), &tree); err != nil {
			t.Fatal(err)
		}
		convertGateway(tree)
		got := &gatewayv1.Gateway{}
		text, _ := json.Marshal(tree)
		if err := json.Unmarshal(text, got); err != nil {
			t.Fatal(err)
		}
		var want gatewayv1.GatewaySpec
		if err := yaml.UnmarshalStrict([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Spec); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
