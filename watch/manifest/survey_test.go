package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/watch/kinds"
)

func namespaceNamed(name string) string {
	return "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + name + "\n"
}

// The line of a document is the line in which its object starts.
func TestLinesOfDocuments(t *testing.T) {
	a, b := namespaceNamed("a"), namespaceNamed("b")
	long := "# " + strings.Repeat("x", 10_000) + "\n"
	for name, test := range map[string]struct {
		content string
		want    string
	}{
		"two":                  {a + "---\n" + b, "a:1 b:6"},
		"a separator first":    {"---\n" + a + "---\n" + b, "a:2 b:7"},
		"several separators":   {a + "---\n---\n" + b + "---\n", "a:1 b:7"},
		"comments":             {"# c\n\n---\n# c\n\n" + a + "--- # c\n# c\n" + b, "a:6 b:12"},
		"blank lines after":    {a + "\n\n---\n" + b + "\n\n", "a:1 b:8"},
		"no newline":           {a + "---\n" + strings.TrimSpace(b), "a:1 b:6"},
		"Windows":              {strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"), "a:1 b:6"},
		"lines over a buffer":  {long + a + "---\n" + long + b, "a:2 b:8"},
		"JSON":                 {"{\"apiVersion\":\"v1\",\n\"kind\":\"Namespace\",\n\"metadata\":{\"name\":\"a\"}}\n\n{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\n\"metadata\":{\"name\":\"b\"}}", "a:1 b:5"},
		"JSON after a newline": {"\n\n{\"apiVersion\":\"v1\",\n\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\"}}", "a:3"},
	} {
		read, err := Read("f", strings.NewReader(test.content), kinds.Core())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, m := range read.Objects {
			got = append(got, fmt.Sprintf("%s:%d", m.Key.Name, m.Position.Line))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A survey goes on after faults, and keeps the objects that can be decoded.
func TestSurvey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.yaml")
	content := namespaceNamed("a") + "nope: 1\n---\n" + namespaceNamed("a") + "---\nhello\n---\n" +
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service}\n- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n---\n" +
		"{apiVersion: configuration.konghq.com/v1, kind: KongPlugin, metadata: {name: p}}\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	admit := func(kind schema.GroupVersionKind, object []byte) ([]byte, []error) {
		if kind.Kind != "KongPlugin" {
			return object, nil
		}
		return []byte(strings.Replace(string(object), `"p"}`, `"p"},"plugin":"cors"`, 1)), []error{fmt.Errorf("refused")}
	}
	survey, err := SurveyFiles([]string{file}, kinds.All(), admit)
	if err != nil {
		t.Fatal(err)
	}
	var faults []string
	for _, f := range survey.Faults {
		faults = append(faults, fmt.Sprintf("%d/%d %s: %v", f.Position.Line, f.Position.Item, f.Key.Name, f.Err))
	}
	want := []string{
		`1/0 a: unknown field "nope"`,
		"12/0 : not a Kubernetes object",
		"14/1 : metadata.name of the Service is missing",
		"20/0 p: refused",
		"7/0 a: the object is already in " + file + ": document 1",
	}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Error(diff)
	}
	objects := names(survey.Manifests)
	if len(objects) != 3 || !strings.HasPrefix(objects[1], "Namespace b ") || !strings.HasPrefix(objects[2], "KongPlugin default/p ") {
		t.Errorf("objects %q", objects)
	}
	if written, line := survey.Text(survey.Objects[1].Position); line != 14 || !strings.HasPrefix(string(written), "apiVersion: v1\nkind: List") {
		t.Errorf("text from line %d: %s", line, written)
	}
}
