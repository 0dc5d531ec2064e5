package manifest

import (
	"bytes"
	"encoding/json"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"golang.org/x/tools/txtar"

	"github.com/kube-sync/kube-sync/e2e/cases"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/schema"
)

// TestMain runs the tests in a lab, which has an API server.
func TestMain(m *testing.M) { lab.Main(m) }

// Custom objects of the golden cases get the same defaults from files as from a real API
// server with the same definitions.
func TestRealDefaults(t *testing.T) {
	r := watchtest.OnRealCluster(t)
	cp := lab.Shared(t)
	cp.MustApplyModule(t, lab.GatewayAPI, lab.GatewayAPIDefinitions)
	cp.MustApplyModule(t, lab.Kong, lab.KongDefinitions)
	byName := map[string]kinds.Kind{}
	for _, kind := range kinds.All() {
		byName[string(kind.Name)] = kind
	}
	compared, refused := map[string]int{}, 0
	for _, written := range customObjects(t) {
		kind, ok := byName[written.GetKind()]
		if !ok || !kind.Custom {
			continue
		}
		var client dynamic.ResourceInterface = r.Dynamic.Resource(kind.In(written.GroupVersionKind().Version))
		written.SetNamespace("")
		if kind.Namespaced {
			client = r.Dynamic.Resource(kind.In(written.GroupVersionKind().Version)).Namespace(r.Namespace)
			written.SetNamespace(r.Namespace)
		}
		raw, err := json.Marshal(written.Object)
		watchtest.Must(t, err)
		stored, err := client.Create(r.Ctx, written, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationIgnore})
		if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) {
			refused++ // an invalid object, or a kind of another release
			continue
		}
		watchtest.Must(t, err)
		filled, err := schema.Default(written.GroupVersionKind(), raw)
		watchtest.Must(t, err)
		if want, got := plain(t, stored.Object), plain(t, filled); want != got {
			t.Errorf("%s %s: an API server has\n%.2000s\nand files\n%.2000s", written.GetKind(), written.GetName(), want, got)
		}
		compared[written.GetKind()]++
	}
	t.Logf("compared %v, refused %d", compared, refused)
	for _, kind := range []string{"Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "ListenerSet", "ReferenceGrant",
		"BackendTLSPolicy", "KongPlugin", "KongUpstreamPolicy", "KongVault", "KongConsumer", "KongCustomEntity"} {
		if compared[kind] == 0 {
			t.Errorf("no %s was compared", kind)
		}
	}
}

// plain returns the JSON of an object without the fields that only the server writes.
func plain(t *testing.T, object any) string {
	t.Helper()
	raw, ok := object.([]byte)
	if !ok {
		var err error
		raw, err = json.Marshal(object)
		watchtest.Must(t, err)
	}
	var tree map[string]any
	watchtest.Must(t, json.Unmarshal(raw, &tree))
	delete(tree, "metadata")
	delete(tree, "status")
	raw, err := json.Marshal(tree)
	watchtest.Must(t, err)
	return string(raw)
}

// customObjects are the objects of the golden cases.
func customObjects(t *testing.T) (objects []*unstructured.Unstructured) {
	t.Helper()
	cases.Each(t, "../../translate/testdata/*.txtar", func(t *testing.T, file string, archive *txtar.Archive) {
		for _, f := range archive.Files {
			if f.Name != "input.yaml" {
				continue
			}
			watchtest.Must(t, eachDocument(file, bytes.NewReader(f.Data), func(d document) error {
				object := &unstructured.Unstructured{}
				if len(d.json) > 0 && json.Unmarshal(d.json, &object.Object) == nil && object.GetKind() != "" {
					objects = append(objects, object)
				}
				return nil
			}))
		}
	})
	return objects
}
