package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

const shop = `# the shop
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec:
    ports: [{port: 80}]
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
stringData: {tls.key: secret}
data: {tls.crt: Y2VydA==}
---
apiVersion: networking.k8s.io/v1
kind: IngressClassList
items:
- metadata: {name: kong, namespace: ignored}
`

func names(m Manifests) (names []string) {
	for _, object := range m.Objects {
		names = append(names, object.Key.String()+" @ "+object.Position.String())
	}
	for _, ignored := range m.Ignored {
		names = append(names, "ignored "+ignored.APIVersion+" "+ignored.Kind+" "+ignored.Name+" @ "+ignored.Position.String())
	}
	return names
}

func TestReadManifests(t *testing.T) {
	read, err := Read("shop.yaml", strings.NewReader(shop), kinds.Core())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Ingress shop/web @ shop.yaml: document 2",
		"Service default/web @ shop.yaml: document 3, item 1",
		"Secret default/tls @ shop.yaml: document 4",
		"IngressClass kong @ shop.yaml: document 5, item 1",
		"ignored apps/v1 Deployment web @ shop.yaml: document 3, item 2",
	}
	if diff := cmp.Diff(want, names(read)); diff != "" {
		t.Error(diff)
	}
	web := read.Objects[1].Object.(*corev1.Service)
	if web.Spec.Type != corev1.ServiceTypeClusterIP || web.Spec.Ports[0].Protocol != corev1.ProtocolTCP ||
		web.Spec.Ports[0].TargetPort != intstr.FromInt32(80) || web.UID != "" || !web.CreationTimestamp.IsZero() {
		t.Errorf("defaults: %+v", web)
	}
	tls := read.Objects[2].Object.(*corev1.Secret)
	if string(tls.Data["tls.key"]) != "secret" || string(tls.Data["tls.crt"]) != "cert" || tls.StringData != nil {
		t.Errorf("data: %+v", tls)
	}
}

func TestReadManifestsOfJSON(t *testing.T) {
	const stream = ` {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}
		{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b"}}`
	read, err := Read("-", strings.NewReader(stream), kinds.Core())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Namespace a @ stdin: document 1", "Namespace b @ stdin: document 2"}
	if diff := cmp.Diff(want, names(read)); diff != "" {
		t.Error(diff)
	}
}

func TestReadManifestsOfOddButValidFiles(t *testing.T) {
	const namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"
	for name, content := range map[string]string{
		"byte order mark": "\ufeff" + namespace,
		"CRLF":            strings.ReplaceAll("---\n"+namespace+"---\n", "\n", "\r\n"),
		"leading ---":     "---\n" + namespace,
		"comments":        "# a\n---\n# b\n---\n" + namespace + "---\n\n---\n# c\n",
		"no newline":      strings.TrimSpace(namespace),
	} {
		read, err := Read("f", strings.NewReader(content), kinds.Core())
		if err != nil || len(read.Objects) != 1 || read.Objects[0].Key.String() != "Namespace a" {
			t.Errorf("%s: %v, %v", name, names(read), err)
		}
	}
	for _, content := range []string{"", "\n", "---\n", "# nothing\n"} {
		if read, err := Read("f", strings.NewReader(content), kinds.Core()); err != nil || len(read.Objects) != 0 {
			t.Errorf("%q: %v, %v", content, names(read), err)
		}
	}
}

func TestReadManifestsSaysWhatIsWrong(t *testing.T) {
	const ok = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n"
	for name, test := range map[string]struct{ content, want string }{
		"no apiVersion":    {ok + "kind: Ingress", "f.yaml: document 2: apiVersion is missing"},
		"no kind":          {ok + "apiVersion: v1", "f.yaml: document 2: kind is missing"},
		"no name":          {ok + "apiVersion: v1\nkind: Service", "f.yaml: document 2: metadata.name of the Service is missing"},
		"a list":           {ok + "- a\n- b", "f.yaml: document 2: not a Kubernetes object"},
		"a word":           {ok + "hello", "f.yaml: document 2: not a Kubernetes object"},
		"no YAML":          {ok + "a: b: c", "f.yaml: document 2: "},
		"a field twice":    {ok + "kind: a\nkind: b", `line 6: key "kind" already set in map`},
		"broken JSON":      {"{\"apiVersion\":\n\"v1\"\n: 1}", "f.yaml: document 1: line 3: invalid character"},
		"an unknown field": {"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {prots: []}", `f.yaml: document 1: Service default/web: `},
		"a wrong type":     {"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: 80}", "f.yaml: document 1: Service default/web: "},
		"an item":          {"apiVersion: v1\nkind: List\nitems: [{}]", "f.yaml: document 1: item 1: apiVersion is missing"},
		"cut-off JSON":     {`{"apiVersion":"v1"`, "f.yaml: document 1: line 1: unexpected EOF"},
		"the same twice":   {ok + ok, "f.yaml: document 2: Namespace a is already in f.yaml: document 1"},
	} {
		_, err := Read("f.yaml", strings.NewReader(test.content), kinds.Core())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

func TestReadManifestFiles(t *testing.T) {
	dir := t.TempDir()
	namespace := func(name string) string { return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n" }
	write(t, filepath.Join(dir, "b.yaml"), namespace("b"))
	write(t, filepath.Join(dir, "a/a.json"), `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}`)
	write(t, filepath.Join(dir, "c.yml"), namespace("c"))
	write(t, filepath.Join(dir, "README.md"), "no manifest")
	write(t, filepath.Join(dir, ".hidden/d.yaml"), "no: manifest")
	if err := os.Symlink("..", filepath.Join(dir, "a", "up")); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFiles([]string{dir}, kinds.Core())
	want := []string{
		"Namespace a @ " + dir + "/a/a.json: document 1",
		"Namespace b @ " + dir + "/b.yaml: document 1",
		"Namespace c @ " + dir + "/c.yml: document 1",
	}
	if diff := cmp.Diff(want, names(read)); diff != "" || err != nil {
		t.Error(err, diff)
	}

	write(t, filepath.Join(dir, "z.yaml"), namespace("b"))
	_, err = ReadFiles([]string{dir}, kinds.Core())
	if want := dir + "/z.yaml: document 1: Namespace b is already in " + dir + "/b.yaml: document 1"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := ReadFiles([]string{dir + "/absent"}, kinds.Core()); err == nil {
		t.Error("a path that doesn't exist is no error")
	}
}

// A listener that requires client certificates is refused if its kind has no field for it.
func TestXListenerSetIsConverted(t *testing.T) {
	read, err := Read("m", strings.NewReader(`
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XListenerSet
metadata: {name: s}
spec:
  parentRef: {name: g}
  listeners:
  - {name: open, port: 80, protocol: HTTP}
  - {name: closed, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}], frontendValidation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}
`), kinds.All())
	if err != nil || len(read.Objects) != 1 {
		t.Fatalf("%v: %v", names(read), err)
	}
	set, ok := read.Objects[0].Object.(*experimental.XListenerSet)
	if !ok || set.Kind != "XListenerSet" || len(set.Spec.Listeners) != 2 || set.Spec.Listeners[0].Protocol != "HTTP" ||
		set.Spec.Listeners[1].Protocol != experimental.FrontendValidationInListenerSet {
		t.Fatalf("read %+v", set)
	}
}

func FuzzReadManifests(f *testing.F) {
	f.Add(shop)
	f.Add(`{"apiVersion":"v1","kind":"List","items":[{}, 3]}`)
	f.Add("---\n---\r\n- a")
	f.Fuzz(func(t *testing.T, content string) {
		read, err := Read("f", strings.NewReader(content), kinds.Core())
		if err != nil && !strings.HasPrefix(err.Error(), "f: document ") {
			t.Errorf("error without its place: %v", err)
		}
		for _, manifest := range read.Objects {
			if manifest.Object == nil || manifest.Key.Name == "" || manifest.Position.Document == 0 {
				t.Errorf("odd manifest %+v", manifest)
			}
		}
	})
}

func TestYAMLErrorsCountLinesInTheFile(t *testing.T) {
	for before, lines := range map[string]int{
		"":                                   0,
		"---\n":                              1,
		"# a comment\n---\n":                 2,
		"a: 1\n---\n":                        2,
		"a: 1\n---\n# b\n---\nc: 1\n\n---\n": 7,
	} {
		for wrong, line := range map[string]int{
			"x: 1\n\ty: 2\n":         2,
			"x: 1\ny: 1\nx: 2\n":     3, // said in a list of errors
			"# c\nx: 1\n y: 2\nz: 3": 3,
		} {
			err := eachDocument("shop.yaml", strings.NewReader(before+wrong), func(document) error { return nil })
			if want := fmt.Sprintf("line %d: ", lines+line); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", before+wrong, err, want)
			}
		}
	}
}
