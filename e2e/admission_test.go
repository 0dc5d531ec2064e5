package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// admissionCase is a rule of kong-conf/admission.yaml, with a value that it rejects and one
// that it admits.
type admissionCase struct {
	object    func(key, value string) string // named "judged"
	key       string
	bad, good string
}

var admissionCases = []admissionCase{
	{ingressWith, "konghq.com/protocols", "http,ftp", "HTTP, https"},
	{ingressWith, "konghq.com/protocols", "http,grpc", "grpc,grpcs"},
	{ingressWith, "konghq.com/strip-path", "yes", " True"},
	{ingressWith, "konghq.com/preserve-host", "", "false"},
	{ingressWith, "konghq.com/request-buffering", "1", "true"},
	{routeWith, "konghq.com/response-buffering", "off", "true"},
	{ingressWith, "ingress.kubernetes.io/force-ssl-redirect", "yes", "false"},
	{ingressWith, "konghq.com/https-redirect-status-code", "303", "308"},
	{ingressWith, "konghq.com/methods", "GET,P0ST", "get, POST,"},
	{routeWith, "konghq.com/methods", "GET POST", "GET"},
	{ingressWith, "konghq.com/snis", "*.example.com", "a.example.com,B.example.com"},
	{ingressWith, "konghq.com/host-aliases", "*.a.*", "*.a.example, b.*, c"},
	{ingressWith, "konghq.com/host-aliases", "a_b", ""},
	{ingressWith, "konghq.com/headers-separator", "", "|"},
	{ingressWith, "konghq.com/headers.X-A", " , ", "a,b"},
	{ingressWith, "konghq.com/rewrite", "nope", "/a/$1"},
	{ingressWith, "konghq.com/rewrite", "/a?b", "$1"},
	{ingressWith, "konghq.com/rewrite", "/a b", `/\$`},
	{ingressWith, "konghq.com/tags", "a/b", "a b, ü"},
	{ingressWith, "konghq.com/plugins", "Limit", "limit, everywhere"},
	{routeWith, "konghq.com/plugins", "a:b:c", "limit"},
	{serviceWith, "konghq.com/protocol", "ws", "HTTPS"},
	{serviceWith, "konghq.com/path", "api", "/api/v1"},
	{serviceWith, "konghq.com/path", "/a b", "/a%20b"},
	{serviceWith, "konghq.com/connect-timeout", "0", "1"},
	{serviceWith, "konghq.com/read-timeout", "5s", "2147483646"},
	{serviceWith, "konghq.com/write-timeout", "2147483647", " 60000"},
	{serviceWith, "konghq.com/retries", "-1", "0"},
	{serviceWith, "konghq.com/retries", "40000", "32767"},
	{serviceWith, "konghq.com/host-header", "a.example:80", "a.example"},
	{serviceWith, "konghq.com/host-header", "a b", ""},
	{serviceWith, "konghq.com/tags", "a/b", "a"},
	{serviceWith, "konghq.com/plugins", "li mit", "limit"},
	{serviceWith, "ingress.kubernetes.io/service-upstream", "yes", "True"},
	{tcpWith, "konghq.com/protocols", "http", "TLS, tcp"},
	{tcpWith, "konghq.com/plugins", "li mit", "limit"},
	{tlsServiceWith, "konghq.com/tls-verify", "on", "true"},
	{tlsServiceWith, "konghq.com/tls-verify-depth", "65", "0"},
	{tlsServiceWith, "konghq.com/path", "x", "/x"},
	{plainServiceWith, "konghq.com/client-cert", "cert", ""},
	{plainServiceWith, "konghq.com/ca-certificates-secrets", "ca", ""},
	{plainServiceWith, "konghq.com/ca-certificates-configmap", "ca", ""},
	{streamServiceWith, "konghq.com/path", "/x", ""},
	{consumerWith, "konghq.com/tags", "a/b", "a"},
	{credentialWith, "konghq.com/credential", "password", "key-auth"},
	{credentialWith, "konghq.com/credential", "mtls-auth", "acl"},
	{credentialWith, "konghq.com/credential", "oauth2", "hmac-auth"},
	{credentialOf("key-auth"), "data", "nothing", "key"},
	{credentialOf("basic-auth", "username"), "data", "username", "password"},
	{credentialOf("jwt", "key"), "data", "rsa_public_key", "secret"},
	{credentialOf("jwt", "key", "secret"), "algorithm", "RS256", "HS512"},
}

const ourClass = "kubernetes.io/ingress.class: kong"

func metadata(name, key, value string) string {
	return fmt.Sprintf("metadata: {name: %s, annotations: {%s: %q, %s}}\n", name, key, value, ourClass)
}

func ingressWith(key, value string) string {
	return "apiVersion: networking.k8s.io/v1\nkind: Ingress\n" + strings.Replace(metadata("judged", key, value), ", "+ourClass, "", 1) +
		"spec: {ingressClassName: kong, rules: [{http: {paths: [{path: '/~/(a)', pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n"
}

func routeWith(key, value string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n" + metadata("judged", key, value) +
		"spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}]}]}\n"
}

func serviceWith(key, value string) string {
	return "apiVersion: v1\nkind: Service\n" + metadata("judged", key, value) + "spec: {ports: [{port: 80}]}\n"
}

// The other Services speak a protocol.
func tlsServiceWith(key, value string) string    { return speaking("https", key, value) }
func plainServiceWith(key, value string) string  { return speaking("http", key, value) }
func streamServiceWith(key, value string) string { return speaking("tcp", key, value) }

func speaking(protocol, key, value string) string {
	return strings.Replace(serviceWith(key, value), "annotations: {", "annotations: {konghq.com/protocol: "+protocol+", ", 1)
}

func tcpWith(key, value string) string {
	return "apiVersion: configuration.konghq.com/v1beta1\nkind: TCPIngress\n" + metadata("judged", key, value) +
		"spec: {rules: [{port: 9000, backend: {serviceName: web, servicePort: 80}}]}\n"
}

func consumerWith(key, value string) string {
	return "apiVersion: configuration.konghq.com/v1\nkind: KongConsumer\n" + metadata("judged", key, value) + "username: judged\n"
}

// credentialWith returns a Secret of a type, with the fields that some types need.
func credentialWith(_, label string) string {
	return credential("judged", label, "key", "k", "group", "g", "username", "u", "secret", "s")
}

// credentialOf returns a function that makes Secrets of a type, with some fields and one more. If the key
// is "data", the value is the name of the field.
func credentialOf(label string, fields ...string) func(key, value string) string {
	return func(key, value string) string {
		if key == "data" {
			key, value = value, "v"
		}
		all := []string{key, value}
		for _, field := range fields {
			if field != key {
				all = append(all, field, "v")
			}
		}
		return credential("judged", label, all...)
	}
}

// admissionContext is what the objects refer to.
const admissionContext = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: user, namespace: default, annotations: {kubernetes.io/ingress.class: kong}}
spec: {defaultBackend: {service: {name: judged, port: {number: 80}}}}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: limit, namespace: default}
plugin: rate-limiting
---
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: everywhere, annotations: {kubernetes.io/ingress.class: kong}}
plugin: cors
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: holder, namespace: default, annotations: {kubernetes.io/ingress.class: kong}}
username: holder
credentials: [judged]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec: {gatewayClassName: kong, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}]}
---
`

// against returns the translation's warnings and errors for an object, or for the consumer of a Secret.
func against(t *testing.T, object string) (found []unit.Verdict) {
	t.Helper()
	read, err := manifest.Read("case", strings.NewReader(admissionContext+object), kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	graph := translate.New(translate.Options{IngressClass: "kong"})
	isSecret := false
	for _, m := range read.Objects {
		graph.Update(unit.Change{Key: m.Key, Object: m.Object})
		isSecret = isSecret || m.Key.Kind == unit.Secret
	}
	for key, verdicts := range graph.AllVerdicts() {
		for _, v := range verdicts {
			if !v.OK && (key.Name == "judged" || key.Name == "holder" && isSecret) {
				found = append(found, v)
			}
		}
	}
	return found
}

// The translation has a verdict on everything that the policy rejects, and none on the values that it
// admits here.
func TestAdmissionAgreesWithTranslation(t *testing.T) {
	for _, c := range admissionCases {
		if len(against(t, c.object(c.key, c.bad))) == 0 {
			t.Errorf("%s: %q is refused, and the translation has nothing against it", c.key, c.bad)
		}
		if found := against(t, c.object(c.key, c.good)); len(found) > 0 {
			t.Errorf("%s: %q is admitted, and the translation says %v", c.key, c.good, found)
		}
	}
}

// faulty are objects that existed before the policies.
var faulty = []string{ingressWith("konghq.com/methods", "1"), serviceWith("konghq.com/retries", "x"),
	consumerWith("konghq.com/tags", "/"), credential("judged", "nope", "a", "b")}

// TestAdmission tests the policies in a real API server.
func TestAdmission(t *testing.T) {
	cp := lab.StartControlPlane(t)
	kongKinds(t, cp)
	gatewayKinds(t, cp)
	for _, object := range faulty {
		cp.MustApply(t, "default", object)
	}
	raw, err := os.ReadFile("../kong-conf/admission.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policies := string(raw)
	cp.MustApply(t, "", policies)
	// The API server takes over policies a little later than it stores them.
	eventually.Nil(t, time.Minute, func() error {
		for _, object := range faulty {
			if err := cp.DryRun(t.Context(), "default", renamed(object)); err == nil {
				return fmt.Errorf("admitted yet: %s", object)
			}
		}
		return nil
	})
	t.Run("rules", func(t *testing.T) { testAdmissionRules(t, cp, policies) })
	t.Run("definitions", func(t *testing.T) { testAdmissionByDefinition(t, cp) })
	t.Run("old faults", func(t *testing.T) { testAdmissionOfOldFaults(t, cp) })
	t.Run("classes", func(t *testing.T) { testAdmissionWarnings(t, cp) })
}

// renamed changes the name of an object.
func renamed(object string) string { return strings.Replace(object, "name: judged", "name: fresh", 1) }

// testAdmissionRules checks the decision of each case, and that each rule has a case.
func testAdmissionRules(t *testing.T, cp *lab.ControlPlane, policies string) {
	var said strings.Builder
	for _, c := range admissionCases {
		err := cp.DryRun(t.Context(), "default", renamed(c.object(c.key, c.bad)))
		if err == nil || !strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'kube-sync-") {
			t.Errorf("%s: %q: error %v, want it refused by a policy", c.key, c.bad, err)
			continue
		}
		said.WriteString(err.Error())
		if err := cp.DryRun(t.Context(), "default", renamed(c.object(c.key, c.good))); err != nil {
			t.Errorf("%s: %q: %v", c.key, c.good, err)
		}
	}
	if err := cp.DryRun(t.Context(), "default", ingress("plain", "a.example", "/", "web")); err != nil {
		t.Errorf("an object without annotations: %v", err)
	}
	messages := regexp.MustCompile(`(?m)^    message: "(.+)"$`).FindAllStringSubmatch(policies, -1)
	if len(messages) < 20 {
		t.Fatalf("%d messages in the policies", len(messages))
	}
	for _, message := range messages {
		if !strings.Contains(said.String(), message[1]) {
			t.Errorf("no case is refused with %q", message[1])
		}
	}
}

// testAdmissionByDefinition checks that the definitions of Kong's kinds reject what the policies leave to
// them.
func testAdmissionByDefinition(t *testing.T, cp *lab.ControlPlane) {
	for want, object := range map[string]string{
		"Need to provide either username or custom_id": strings.Replace(consumerWith("a", "b"), "username: judged\n", "", 1),
		"Using both config and configFrom fields is not allowed": kongPlugin("judged", "cors", "{a: 1}") +
			"configFrom: {secretKeyRef: {name: a, key: b}}\n",
	} {
		if err := cp.DryRun(t.Context(), "default", renamed(object)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// testAdmissionOfOldFaults checks that other fields of an invalid object can still be changed.
func testAdmissionOfOldFaults(t *testing.T, cp *lab.ControlPlane) {
	for _, object := range faulty {
		changed := strings.NewReplacer("annotations: {", "labels: {a: b}, annotations: {", "labels: {konghq", "annotations: {a: b}, labels: {konghq").Replace(object)
		if changed == object {
			t.Fatal("nothing is changed")
		}
		if err := cp.DryRun(t.Context(), "default", changed); err != nil {
			t.Errorf("a change of something else: %v", err)
		}
	}
}

// warnings collects an API server's warnings.
type warnings struct {
	mu   sync.Mutex
	text string
}

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text += text + "\n"
}

func testAdmissionWarnings(t *testing.T, cp *lab.ControlPlane) {
	heard := &warnings{}
	config := rest.CopyConfig(cp.Config)
	config.WarningHandler = heard
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	before := cp.Dynamic
	cp.Dynamic = client
	defer func() { cp.Dynamic = before }()
	const warning = "without the annotation kubernetes.io/ingress.class"
	with := renamed(consumerWith("a", "b"))
	without := strings.Replace(with, ", "+ourClass, "", 1)
	// An API server takes up each policy some time after it has stored it.
	eventually.Nil(t, time.Minute, func() error {
		if err := cp.DryRun(t.Context(), "default", without); err != nil || !strings.Contains(heard.text, warning) {
			return fmt.Errorf("without a class: %v, warnings %q", err, heard.text)
		}
		return nil
	})
	heard.text = ""
	if err := cp.DryRun(t.Context(), "default", with); err != nil || strings.Contains(heard.text, warning) {
		t.Errorf("with a class: %v, warnings %q", err, heard.text)
	}
}
