package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const manifests = `
apiVersion: v1
kind: List
items:
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: web, namespace: shop}
  spec:
    ingressClassName: kong
    rules:
    - host: a.example
      http:
        paths:
        - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
`

// ran is the result of a command.
type ran struct {
	code     int
	out, err string
}

func call(t testing.TB, in string, args ...string) ran {
	t.Helper()
	stdin, err := os.Open(write(t, "stdin", in))
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer func(was *os.File) { os.Stdin = was }(os.Stdin)
	os.Stdin = stdin
	var out, errs bytes.Buffer
	code := Run(args, &out, &errs)
	return ran{code, out.String(), errs.String()}
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRender(t *testing.T) {
	file := write(t, "shop.yaml", manifests)
	for name, r := range map[string]ran{
		"a file":        call(t, "", "render", "-f", file),
		"a directory":   call(t, "", "render", "-f", filepath.Dir(file)),
		"standard in":   call(t, manifests, "render", "-f", "-"),
		"two flags":     call(t, "", "render", "-f", file, "-f", write(t, "none.yaml", "")),
		"JSON as input": call(t, asJSON(t), "render", "-f", "-"),
	} {
		if r.code != 0 || !strings.Contains(r.out, "name: shop.web.web.a.example.80") {
			t.Errorf("%s: exit %d, out:\n%s\nerr:\n%s", name, r.code, r.out, r.err)
		}
	}
	if r := call(t, "", "render", "-f", file); !strings.Contains(r.err, "Deployment web") {
		t.Errorf("an object that is not read is not mentioned: %q", r.err)
	}
}

func asJSON(t *testing.T) string {
	t.Helper()
	document, _, _ := strings.Cut(manifests, "---")
	raw, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestRenderJSONAndStatus(t *testing.T) {
	r := call(t, strings.Replace(manifests, "number: 80", "number: 81", 1), "render", "-f", "-", "-o", "json", "-status")
	d := json.NewDecoder(strings.NewReader(r.out))
	var config struct {
		Format string `json:"_format_version"`
		Routes []struct{ Name string }
	}
	var verdicts []verdict
	if err := d.Decode(&config); err != nil || config.Format != "3.0" || len(config.Routes) != 1 {
		t.Errorf("configuration %+v, %v", config, err)
	}
	if err := d.Decode(&verdicts); err != nil || len(verdicts) != 1 || verdicts[0].Reason != "ServicePortNotFound" ||
		verdicts[0].Object != "Ingress shop/web" || verdicts[0].OK {
		t.Errorf("verdicts %+v, %v", verdicts, err)
	}
}

func TestRenderRefusesWhatIsNotKubernetes(t *testing.T) {
	for name, text := range map[string]string{
		"text":             "hello there\n",
		"broken YAML":      manifests + "---\na: [\n",
		"no kind":          manifests + "---\napiVersion: v1\n",
		"an unknown field": strings.Replace(manifests, "ingressClassName", "ingressKlassName", 1),
	} {
		file := write(t, "bad.yaml", text)
		r := call(t, "", "render", "-f", file)
		if r.code != exitError || r.out != "" || !strings.Contains(r.err, file+": document ") {
			t.Errorf("%s: exit %d, out %q, err %q; want 1, nothing, and file and document", name, r.code, r.out, r.err)
		}
	}
	if r := call(t, "", "render", "-f", "/no/such/file"); r.code != exitError || r.out != "" {
		t.Errorf("a missing file: %+v", r)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"rendr"}, {"render"}, {"check"}, {"render", "-x"}, {"definitions", "more"}, {"render", "-f", "-", "-o", "xml"}, {"help", "rendr"}} {
		if r := call(t, "", args...); r.code != exitUsage || r.out != "" || r.err == "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if r := call(t, "", "version"); r.code != 0 || !strings.HasPrefix(r.out, "kube-sync ") {
		t.Errorf("version: %+v", r)
	}
	if r := call(t, "", "help", "check"); r.code != 0 || r.err != "" || !strings.HasPrefix(r.out, "Usage: kube-sync check FILE") {
		t.Errorf("help check: %+v", r)
	}
	if r := call(t, "", "help"); r.code != 0 || !strings.Contains(r.out, "INGRESS_CLASS") {
		t.Errorf("help: %+v", r)
	}
}
