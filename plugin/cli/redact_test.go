package cli

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// canary marks the secrets in the manifests of the test.
const canary = "CANARY"

var secretive = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, annotations: {konghq.com/plugins: "from, patched, plain"}}
spec:
  ingressClassName: kong
  tls: [{hosts: [a.example], secretName: tls}]
  rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: from, namespace: shop}
plugin: session
configFrom: {secretKeyRef: {name: config, key: whole}}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: patched, namespace: shop}
plugin: basic-auth
config: {hide_credentials: true}
configPatches: [{path: /realm, valueFrom: {secretKeyRef: {name: config, key: part}}}]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: plain, namespace: shop}
plugin: rate-limiting
config: {minute: 5, policy: redis, redis: {host: redis.example, password: CANARY-plain}}
---
apiVersion: v1
kind: Secret
metadata: {name: config, namespace: shop}
stringData: {whole: '{"secret": "CANARY-whole", "cookie_name": "CANARY-name"}', part: '"CANARY-part"'}
---
apiVersion: configuration.konghq.com/v1alpha1
kind: KongVault
metadata: {name: hcv, annotations: {kubernetes.io/ingress.class: kong}}
spec: {backend: hcv, prefix: mine, config: {host: vault.example, token: CANARY-vault}}
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: ann, namespace: shop, annotations: {kubernetes.io/ingress.class: kong}}
username: ann
credentials: [key-auth, basic-auth, hmac-auth, jwt, oauth2, acl]
---
` + credentialSecret("key-auth", "{key: CANARY-key, ttl: '60'}") + credentialSecret("basic-auth", "{username: ann-basic, password: CANARY-basic}") +
	credentialSecret("hmac-auth", "{username: ann-hmac, secret: CANARY-hmac}") + credentialSecret("jwt", "{key: CANARY-issuer, secret: CANARY-jwt}") +
	credentialSecret("oauth2", "{name: app, client_id: app-id, client_secret: CANARY-oauth, redirect_uris: 'https://a.example/'}") +
	credentialSecret("acl", "{group: staff}")

func credentialSecret(kind, data string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %[1]s, namespace: shop, labels: {konghq.com/credential: %[1]s}}\nstringData: %[2]s\n---\n", kind, data)
}

func TestRenderHidesSecrets(t *testing.T) {
	pair := testcert.SelfSigned("a.example")
	cert, key := pair.CertPEM(), pair.KeyPEM()
	secret := func(name, cert string) string {
		encode := base64.StdEncoding.EncodeToString
		return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: shop}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n---\n",
			name, encode([]byte(cert)), encode([]byte(key)))
	}
	// Some Secrets have the key beside the certificate.
	manifests := secretive + secret("tls", cert) + secret("both", cert+key) +
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: both, namespace: shop}\nspec: {ingressClassName: kong, tls: [{hosts: [b.example], secretName: both}]}\n"
	for _, format := range []string{"yaml", "json"} {
		shown := call(t, manifests, "render", "-f", "-", "-o", format, "-status", "-show-secrets")
		for _, secret := range []string{"plain", "whole", "name", "part", "vault", "key", "basic", "hmac", "issuer", "jwt", "oauth"} {
			if !strings.Contains(shown.out, canary+"-"+secret) {
				t.Errorf("%s with -show-secrets has no %s:\n%s%s", format, secret, shown.out, shown.err)
			}
		}
		if !strings.Contains(shown.out, "PRIVATE KEY") {
			t.Errorf("%s with -show-secrets has no private key", format)
		}
		got := call(t, manifests, "render", "-f", "-", "-o", format, "-status")
		if found := regexp.MustCompile(`.*(?:CANARY|PRIVATE KEY).*`).FindAllString(got.out+got.err, -1); got.code != 0 || len(found) > 0 {
			t.Errorf("%s: exit %d; without -show-secrets there is:\n%s", format, got.code, strings.Join(found, "\n"))
		}
		// Other values stay.
		for _, plain := range []string{"BEGIN CERTIFICATE", "ann-basic", "ann-hmac", "app-id", "staff", "redis.example", "vault.example", "a.example"} {
			if !strings.Contains(got.out, plain) {
				t.Errorf("%s: there is no %s:\n%s", format, plain, got.out)
			}
		}
	}
}
