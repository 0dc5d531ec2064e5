package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const diffCommon = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: kong}
spec: {controller: ingress-controllers.konghq.com/kong}
---
apiVersion: v1
kind: Service
metadata: {name: api-v1, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api-v2, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: auth, namespace: shop}
plugin: key-auth
config: {key_names: [apikey]}
`

const diffWeb = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop, annotations: {konghq.com/plugins: auth}}
spec:
  ingressClassName: kong
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /api, pathType: Prefix, backend: {service: {name: api-v1, port: {number: 80}}}}
`

// changedWeb moves the path to another Service and takes the plugin away.
var changedWeb = strings.NewReplacer(", annotations: {konghq.com/plugins: auth}", "", "api-v1, port", "api-v2, port").Replace(diffWeb)

func TestDiffSaysWhatChanges(t *testing.T) {
	before := write(t, "before.yaml", diffCommon+"---\n"+diffWeb)
	after := write(t, "after.yaml", changedWeb)
	want := "Ingress shop/web: /api moves from api-v1:80 to api-v2:80\nIngress shop/web: /api loses plugin auth (key-auth)\n"
	r := call(t, "", "diff", "-f", after, "--against", before)
	if r.code != exitError || !strings.HasPrefix(r.out, want) || r.err != "" {
		t.Errorf("%+v", r)
	}
	if r := call(t, changedWeb, "diff", "-", "--against", before); r.code != exitError || !strings.HasPrefix(r.out, want) {
		t.Errorf("standard input: %+v", r)
	}
	r = call(t, "", "diff", after, "--against", before, "-o", "json", "--entities")
	var result diffResult
	if err := json.Unmarshal([]byte(r.out), &result); err != nil || len(result.Changes) != 2 || len(result.Entities) != result.Count.Added+result.Count.Changed+result.Count.Removed {
		t.Errorf("%v in %+v", err, r)
	}
}

func TestDiffOfNothing(t *testing.T) {
	before := write(t, "before.yaml", diffCommon+"---\n"+diffWeb)
	for _, args := range [][]string{{before}, {before, "--replace"}} {
		if r := call(t, "", append([]string{"diff", "--against", before}, args...)...); r.code != exitOK || r.out != "Nothing changes.\n" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

func TestDiffReplace(t *testing.T) {
	before := write(t, "before.yaml", diffCommon+"---\n"+diffWeb)
	after := write(t, "after.yaml", diffCommon)
	if r := call(t, "", "diff", after, "--against", before); r.code != exitOK {
		t.Errorf("without --replace: %+v", r)
	}
	if r := call(t, "", "diff", after, "--against", before, "--replace"); r.code != exitError || !strings.HasPrefix(r.out, "Ingress shop/web: no longer serves shop.example/api\n") {
		t.Errorf("with --replace: %+v", r)
	}
}

// A new fault is printed with its line, and no secret is.
func TestDiffFaultsAndSecrets(t *testing.T) {
	before := write(t, "before.yaml", diffCommon+"---\n"+diffWeb)
	const secret = "CANARY-of-diff"
	after := write(t, "after.yaml", strings.Replace(diffWeb, "api-v1, port", "nope, port", 1)+`---
apiVersion: v1
kind: Secret
metadata: {name: alice, namespace: shop, labels: {konghq.com/credential: key-auth}}
stringData: {key: `+secret+`}
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: alice, namespace: shop, annotations: {kubernetes.io/ingress.class: kong}}
username: alice
credentials: [alice]
`)
	for _, format := range []string{"table", "json", "yaml"} {
		r := call(t, "", "diff", after, "--against", before, "--entities", "-o", format)
		if r.code != exitError || !strings.Contains(r.out, "ServiceNotFound") || !strings.Contains(r.out, after+":10") {
			t.Errorf("%s: %+v", format, r)
		}
		if strings.Contains(r.out+r.err, secret) || !strings.Contains(r.out, "keyauth_credentials") {
			t.Errorf("%s prints a secret, or not its credential: %+v", format, r)
		}
	}
}

func TestDiffErrors(t *testing.T) {
	good := write(t, "good.yaml", diffCommon)
	bad := write(t, "bad.yaml", strings.Replace(diffWeb, "ingressClassName", "ingresClassName", 1))
	for name, args := range map[string][]string{
		"a file that does not exist": {"/no/such/file", "--against", good},
		"an invalid manifest":        {bad, "--against", good},
		"no manifests":               {"--against", good},
		"two bases":                  {good, "--against", good, "--cluster"},
		"a base that does not exist": {good, "--against", "/no/such/file"},
		"no kubeconfig":              {good, "--kubeconfig", "/no/such/file"},
		"a format":                   {good, "--against", good, "-o", "xml"},
	} {
		if r := call(t, "", append([]string{"diff"}, args...)...); r.code != exitUsage || r.err == "" || r.out != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// BenchmarkDiff compares two directories with 10 000 Ingresses and Services each, of which a hundred
// Ingresses differ: the whole command.
func BenchmarkDiff(b *testing.B) {
	dir := b.TempDir()
	for name, changed := range map[string]int{"before": 0, "after": 100} {
		var text strings.Builder
		text.WriteString(diffCommon)
		for i := range 10_000 {
			backend := i
			if i < changed {
				backend++
			}
			fmt.Fprintf(&text, "---\napiVersion: v1\nkind: Service\nmetadata: {name: app-%d, namespace: shop}\nspec: {ports: [{port: 80}]}\n", i)
			text.WriteString("---\n" + strings.NewReplacer("name: web", fmt.Sprintf("name: web-%d", i), "shop.example", fmt.Sprintf("h%d.example", i),
				"api-v1", fmt.Sprintf("app-%d", backend)).Replace(diffWeb))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		r := call(b, "", "diff", filepath.Join(dir, "after.yaml"), "--against", filepath.Join(dir, "before.yaml"))
		if r.code != exitError || strings.Count(r.out, " moves from ") != 100 {
			b.Fatalf("%.2000s", r.out+r.err)
		}
	}
}
