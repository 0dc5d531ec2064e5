package translate_test

import (
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// FuzzAnnotations tests that no value of an annotation makes a translation panic, results in an invalid
// configuration or changes another object.
func FuzzAnnotations(f *testing.F) {
	names := []string{
		"methods", "snis", "host-aliases", "headers.x", "headers-separator", "rewrite", "protocols", "strip-path", "tags",
		"protocol", "path", "retries", "host-header", "client-cert", "tls-verify", "ca-certificates-secrets",
		"upstream-policy", "override", "read-timeout", "https-redirect-status-code",
	}
	for i, value := range []string{"", "a,b", "~*[", "$1$(x)", "https", "/a//b", "99999999999999999999", "*.a", "a.*", "\x00\xff", "true"} {
		f.Add(names[i], value, names[i+5], value)
	}
	f.Fuzz(func(t *testing.T, name, value, other, otherValue string) {
		g := translate.New(translate.Options{IngressClass: "kong"})
		g.Update(app(1, 1)...)
		before := stateOf(g)
		annotations := map[string]string{"konghq.com/" + name: value, "konghq.com/" + other: otherValue}
		ingress, service := newIngress("fuzzed", "fuzzed.example"), newService("fuzzed")
		ingress.Annotations, service.Annotations = annotations, annotations
		g.Update(change(ingress), change(service), change(newSlice("fuzzed", 1, 1)))
		wantUnchanged(t, g, before)
	})
}

// FuzzUpstreamPolicy does the same for the fields of a KongUpstreamPolicy.
func FuzzUpstreamPolicy(f *testing.F) {
	f.Add("consistent-hashing", "header", "X-Session", "/x", 10, 200, 1.5)
	f.Add("", "cookie", "", "x", -1, 99, -1.0)
	f.Add("latency", "ip", "\x00", "//", 1<<40, 1000, 101.0)
	f.Fuzz(func(t *testing.T, algorithm, input, name, path string, number, status int, percent float64) {
		g := translate.New(translate.Options{IngressClass: "kong"})
		g.Update(app(1, 1)...)
		before := stateOf(g)
		service := newService("fuzzed")
		service.Annotations = map[string]string{"konghq.com/upstream-policy": "p", "konghq.com/override": name}
		on := configurationv1beta1.HashInput(input)
		threshold := int(percent)
		policy := &configurationv1beta1.KongUpstreamPolicy{ObjectMeta: meta("p"), Spec: configurationv1beta1.KongUpstreamPolicySpec{
			Algorithm: &algorithm, Slots: &number,
			HashOn:         &configurationv1beta1.KongUpstreamHash{Input: &on, Header: &name, Cookie: &name, CookiePath: &path},
			HashOnFallback: &configurationv1beta1.KongUpstreamHash{Header: &name},
			Healthchecks: &configurationv1beta1.KongUpstreamHealthcheck{Threshold: &threshold,
				Active: &configurationv1beta1.KongUpstreamActiveHealthcheck{
					Type: &input, HTTPPath: &path, HTTPSSNI: &name, Timeout: &number, Headers: map[string][]string{name: {path}},
					Healthy: &configurationv1beta1.KongUpstreamHealthcheckHealthy{HTTPStatuses: []configurationv1beta1.HTTPStatus{
						configurationv1beta1.HTTPStatus(status)}, Successes: &number},
				}},
		}}
		g.Update(change(newIngress("fuzzed", "fuzzed.example")), change(service),
			unit.Change{Key: unit.KongUpstreamPolicy.Key("default", "p"), Object: policy})
		wantUnchanged(t, g, before)
	})
}

// wantUnchanged fails if a unit of an earlier state changed or a translation panicked.
func wantUnchanged(t *testing.T, g *unit.Graph, before state) {
	t.Helper()
	for _, verdicts := range g.AllVerdicts() {
		for _, v := range verdicts {
			if v.Reason == "TranslationFailed" {
				t.Fatal(v)
			}
		}
	}
	var entities []*kong.Entity
	after := stateOf(g)
	for view := range g.Units() {
		entities = append(entities, view.Entities...)
	}
	for id, was := range before.Units {
		if was != after.Units[id] {
			t.Errorf("%s changed", id)
		}
	}
	if body := kong.Declarative(kong.Sorted(entities)); !json.Valid(body) {
		t.Errorf("the configuration is not JSON: %s", body)
	}
}

// TestUpstreamHistories is TestHistories for objects that configure backends.
func TestUpstreamHistories(t *testing.T) {
	for seed := range uint64(40) {
		w := &world{Rand: mathrand.New(mathrand.NewPCG(seed, 7)), objects: map[unit.Key]unit.Object{}}
		g := translate.New(translate.Options{IngressClass: "kong"})
		for step := range 60 {
			key, object := w.backendThing()
			if w.IntN(3) == 0 {
				object = nil
				delete(w.objects, key)
			} else {
				w.objects[key] = object
			}
			g.Update(unit.Change{Key: key, Object: object})
			fresh := translate.New(translate.Options{IngressClass: "kong"})
			fresh.Update(w.everything()...)
			if diff := cmp.Diff(stateOf(fresh), stateOf(g)); diff != "" {
				t.Fatalf("seed %d step %d: incremental differs from full after %s:\n%s", seed, step, key, diff)
			}
		}
	}
}

// backendThing returns a random object that is a backend, or that a backend's translation reads.
func (w *world) backendThing() (unit.Key, unit.Object) {
	name := fmt.Sprintf("o%d", w.IntN(2))
	key := func(kind unit.Kind) unit.Key { return kind.Key("default", name) }
	class := map[string]string{"kubernetes.io/ingress.class": pick(w, "kong", "other")}
	switch w.IntN(10) {
	case 0, 1:
		s := newService(name)
		s.Annotations = map[string]string{
			"konghq.com/protocol": pick(w, "http", "https"), "konghq.com/tls-verify": "true",
			"konghq.com/upstream-policy": pick(w, "", "o0"), "konghq.com/override": pick(w, "", "o1"),
			"konghq.com/client-cert": pick(w, "", "o0"), "konghq.com/ca-certificates-secrets": pick(w, "", "o0,o1"),
			"konghq.com/ca-certificates-configmaps": pick(w, "", "o1"),
		}
		return key(unit.Service), s
	case 2:
		return key(unit.Secret), &corev1.Secret{ObjectMeta: w.aged(name), Data: map[string][]byte{"tls.crt": certPEM, "tls.key": keyPEM,
			"id": []byte(pick(w, "3f4f0a9e-0000-4000-8000-00000000000a", "x")), "ca.crt": caPEM}}
	case 3:
		return key(unit.ConfigMap), &corev1.ConfigMap{ObjectMeta: w.aged(name), Data: map[string]string{
			"id": "3f4f0a9e-0000-4000-8000-00000000000a", "cert": string(caPEM)}}
	case 4:
		return key(unit.KongUpstreamPolicy), &configurationv1beta1.KongUpstreamPolicy{ObjectMeta: meta(name),
			Spec: configurationv1beta1.KongUpstreamPolicySpec{Algorithm: new(pick(w, "latency", "none"))}}
	case 5:
		return key(unit.KongIngress), &configurationv1.KongIngress{ObjectMeta: meta(name),
			Upstream: &configurationv1.KongIngressUpstream{HostHeader: new(pick(w, "a.example", "a b"))}}
	case 6:
		rule := configurationv1beta1.IngressRule{Port: 9000 + w.IntN(2), Host: pick(w, "", "a.example")}
		rule.Backend = configurationv1beta1.IngressBackend{ServiceName: "o0", ServicePort: 80}
		i := &configurationv1beta1.TCPIngress{ObjectMeta: w.aged(name)}
		i.Annotations, i.Spec.Rules = class, []configurationv1beta1.IngressRule{rule}
		return key(unit.TCPIngress), i
	case 7:
		f := &incubatorv1alpha1.KongServiceFacade{ObjectMeta: meta(name)}
		f.Annotations, f.Spec.Backend = class, incubatorv1alpha1.KongServiceFacadeBackend{Name: "o0", Port: 80}
		return key(unit.KongServiceFacade), f
	case 8:
		if w.IntN(2) == 0 {
			p := &configurationv1alpha1.IngressClassParameters{ObjectMeta: meta("o0")}
			p.Spec.ServiceUpstream = w.IntN(2) == 0
			return unit.IngressClassParameters.Key("default", "o0"), p
		}
		c := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "kong"}}
		c.Spec.Parameters = &networkingv1.IngressClassParametersReference{APIGroup: new("configuration.konghq.com"),
			Kind: "IngressClassParameters", Namespace: new("default"), Name: pick(w, "o0", "gone")}
		return unit.IngressClass.Key("", "kong"), c
	}
	i := newIngress(name, strings.Repeat("a", 1+w.IntN(2))+".example")
	if w.IntN(2) == 0 {
		i.Spec.Rules[0].HTTP.Paths[0].Backend = networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{
			APIGroup: new("incubator.ingress-controller.konghq.com"), Kind: "KongServiceFacade", Name: "o0"}}
	}
	return key(unit.Ingress), i
}

func (w *world) aged(name string) metav1.ObjectMeta {
	m := meta(name)
	m.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	return m
}

// caPEM is a CA certificate.
var caPEM = []byte(`-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUe5u49lsIk6ROGiBCFeAO/7snbPgwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKZXhhbXBsZSBDQTAgFw0yNjExMjIxMDIxNDhaGA8yMTI2MTAy
OTEwMjE0OFowFTETMBEGA1UEAwwKZXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABNF8Zxy5BD1Uh4IU+PuW3R6+HaoiW6bVCtKKXOdXZ2Nd+8T+Ss49
ovY2AHE/ErEnEs+wA3bT5s8xwYTyeXDEX7KjUzBRMB0GA1UdDgQWBBTWdVKWHHJz
WxpkUQV0TmpFe1Rp7zAfBgNVHSMEGDAWgBTWdVKWHHJzWxpkUQV0TmpFe1Rp7zAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIB3ULdB5JAiHxPm+C2w6
+QqAiywynafj19ktQcQFgknUAiB/JYMy6yxX7h8DF8UmMTz1lzR90FgmSwfRqdyH
JGOfWQ==
-----END CERTIFICATE-----
`)
