package translate_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/translate/vault"
)

// wantNoEnvironment fails if an entity from a tenant's object makes Kong read the gateway's
// environment. It skips the core entities without fields in which Kong resolves references; a test of
// package plugin/gateway checks which they are.
func wantNoEnvironment(t *testing.T, g *unit.Graph) {
	t.Helper()
	for view := range g.Units() {
		for _, e := range view.Entities {
			core := slices.Contains(kong.Types, e.Type)
			if core && e.Type != kong.Certificates && e.Type != kong.Plugins || e.Type.Local() {
				continue
			}
			var entity struct{ Tags []string }
			var tree any
			decoder := json.NewDecoder(bytes.NewReader(e.JSON))
			decoder.UseNumber() // a plugin's configuration may have a number that no float64 can hold
			if err := decoder.Decode(&tree); err != nil {
				t.Fatal(err)
			}
			_ = json.Unmarshal(e.JSON, &entity)
			if slices.Contains(entity.Tags, "k8s-kind:KongClusterPlugin") {
				continue
			}
			err := tenancy.Strings(tree, field.NewPath(string(e.Type)), func(path field.Path, text string) error {
				if vault.IsReference(text) && (strings.HasPrefix(text, "{vault://env/") || strings.Contains(text, "?")) {
					t.Errorf("%s: %s of %s is %s", view.ID, path, e.Name, text)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Kong recognizes a reference by the ends of a string, and PEM may have any text there.
func TestCertificateIsNoReference(t *testing.T) {
	for name, around := range map[string][2]string{"cert": {"tls.crt", "tls.key"}, "key": {"tls.key", "tls.crt"}} {
		g := translate.New(translate.Options{IngressClass: "kong"})
		pair := map[string][]byte{"tls.crt": certPEM, "tls.key": keyPEM}
		framed := map[string][]byte{
			around[0]: slices.Concat([]byte("{vault://env/x?y=\n"), pair[around[0]], []byte("\n}")),
			around[1]: pair[around[1]],
		}
		ingress := newIngress("web", "a.example")
		ingress.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"a.example"}, SecretName: "framed"}}
		secret := &corev1.Secret{ObjectMeta: meta("framed"), Data: framed}
		g.Update(change(ingress), change(secret))
		wantNoEnvironment(t, g)
		said := false
		for _, verdicts := range g.AllVerdicts() {
			for _, v := range verdicts {
				said = said || v.Reason == "CertificateInvalid" && strings.Contains(v.Message, "reference to a vault")
			}
		}
		if !said {
			t.Errorf("%s: there is no verdict", name)
		}
		secret.Data = pair
		g.Update(change(secret))
		found := false
		for view := range g.Units() {
			found = found || slices.ContainsFunc(view.Entities, func(e *kong.Entity) bool { return e.Type == kong.Certificates })
		}
		if !found {
			t.Errorf("%s: the pair without the reference is not served", name)
		}
	}
}
