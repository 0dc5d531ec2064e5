package cli

import (
	"fmt"
	"strings"
	"testing"

	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// The line of a field is the line of its name, or of the element of a list. Where a field is missing,
// it is the line of the innermost part that exists.
func TestLineOf(t *testing.T) {
	const ingress = `# A comment

apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    konghq.com/headers.x-a: b
    konghq.com/headers.x-a.b: c
spec:
  rules:
  - host: a.example
  - host: b.example
    http:
      paths:
      - path: /
        backend:
          service: {name: a,
            port: {number: 80}}
      - path: /b
`
	const anchored = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
x-backend: &backend
  service:
    name: a
spec:
  defaultBackend: *backend
  rules:
  - http:
      paths:
      - &first
        path: /a
        pathType: Exact
      - <<: *first
        backend: *backend
      - <<: [{backend: {}}, *first]
`
	const secret = `apiVersion: v1
kind: Secret
metadata: {name: a}
stringData:
  tls.crt: a
  tls.key: b
`
	const json = "{\n\t\"apiVersion\": \"v1\", \"kind\": \"Service\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {\n\t\t\"ports\": [\n\t\t\t{\"port\": 80},\n\t\t\t{\n\t\t\t\t\"port\": 81\n\t\t\t}\n\t\t]\n\t}\n}\n"
	list := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n-\n  apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  spec:\n    ports:\n    - port: 80\n"
	for _, test := range []struct {
		file, path string
		object     int // in the file, from 0
		line       int
	}{
		{ingress, "", 0, 3},
		{ingress, "metadata.annotations[konghq.com/headers.x-a]", 0, 8},
		{ingress, "metadata.annotations[konghq.com/headers.x-a.b]", 0, 9},
		{ingress, "metadata.annotations.konghq.com/headers.x-a.b", 0, 9},
		{ingress, "metadata.labels", 0, 5},
		{ingress, "spec.rules[0].host", 0, 12},
		{ingress, "spec.rules[1].host", 0, 13},
		{ingress, "spec.rules[1].http.paths[0].backend.service.name", 0, 18},
		{ingress, "spec.rules[1].http.paths[0].backend.service.port.number", 0, 19},
		{ingress, "spec.rules[1].http.paths[1].pathType", 0, 20},
		{ingress, "spec.rules[7].host", 0, 11},
		{ingress, "status.loadBalancer", 0, 3},
		{anchored, "spec.defaultBackend", 0, 8},
		{anchored, "spec.defaultBackend.service.name", 0, 6},
		{anchored, "spec.rules[0].http.paths[1].backend", 0, 16},
		{anchored, "spec.rules[0].http.paths[1].pathType", 0, 14},
		{anchored, "spec.rules[0].http.paths[2].backend.service", 0, 17},
		{anchored, "spec.rules[0].http.paths[2].pathType", 0, 14},
		{secret, "data[tls.key]", 0, 6},
		{secret, "data.tls.crt", 0, 5},
		{secret, "data[ca.crt]", 0, 4},
		{json, "spec.ports[1].port", 0, 8},
		{json, "spec.ports[0].port", 0, 6},
		{json + strings.Replace(json, `"a"`, `"b"`, 1), "spec.ports[1].port", 1, 20},
		{list, "spec.ports[0].port", 1, 13},
		{list, "", 1, 8},
		{list, "metadata.name", 0, 6},
		{ingress + "---\n" + secret, "data[tls.key]", 1, 27},
		{ingress + "--- # next\n# a comment\n\n" + secret, "data[tls.key]", 1, 29},
		{strings.ReplaceAll(ingress+"---\n"+secret, "\n", "\r\n"), "data[tls.key]", 1, 27},
	} {
		file := write(t, "f.yaml", test.file)
		survey, err := manifest.SurveyFiles([]string{file}, kinds.All(), func(_ runtimeschema.GroupVersionKind, object []byte) ([]byte, []error) { return object, nil })
		if err != nil || len(survey.Objects) <= test.object {
			t.Errorf("%s: %d objects, %v", test.path, len(survey.Objects), err)
			continue
		}
		got := (&lineFinder{survey: survey}).lineOf(survey.Objects[test.object].Position, field.Path(test.path))
		if got != test.line {
			t.Errorf("%s: line %d, want %d of\n%s", test.path, got, test.line, numbered(test.file))
		}
	}
}

func numbered(text string) string {
	var out strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		fmt.Fprintf(&out, "%2d %s", n, line)
	}
	return out.String()
}
