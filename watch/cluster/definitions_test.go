package cluster

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

var (
	widgets      = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}
	olderWidgets = schema.GroupVersionResource{Group: "example.com", Version: "v1beta1", Resource: "widgets"}
)

// Widget is a custom kind for tests.
type Widget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		Size   int64  `json:"size"`
		Unread string `json:"unread"`
	} `json:"spec"`
}

func (w *Widget) DeepCopyObject() runtime.Object {
	copied := *w
	w.DeepCopyInto(&copied.ObjectMeta)
	return &copied
}

func widgetKind() kinds.Kind {
	return kinds.Kind{
		Name: "Widget", Resource: widgets, Namespaced: true, Custom: true, New: func() unit.Object { return &Widget{} },
		Strip: func(o unit.Object) { o.(*Widget).Spec.Unread = "" },
	}
}

func widget(name string, size any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget",
		"metadata": map[string]any{"namespace": "shop", "name": name, "resourceVersion": "1",
			"managedFields": []any{map[string]any{"manager": "kubectl"}}},
		"spec": map[string]any{"size": size, "unread": "x"},
	}}
}

func (f fakes) define(t *testing.T, name string) {
	t.Helper()
	definition := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	if err := f.Metadata.Tracker().Create(customResourceDefinitions, definition, ""); err != nil {
		t.Fatal(err)
	}
}

func TestCustomKindComesAndGoes(t *testing.T) {
	ctx, f := context.Background(), newFakes(watchtest.Ingress("web"))
	if _, err := f.Dynamic.Resource(widgets).Namespace("shop").Create(ctx, widget("a", int64(3)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, got := f.cluster(t, Options{Kinds: append(kinds.Core(), widgetKind())})
	got.Until("complete without the kind", got.IsComplete)
	key := unit.Key{Kind: "Widget", Namespace: "shop", Name: "a"}
	if got.Objects[key] != nil {
		t.Error("delivered before its kind is served")
	}

	f.define(t, "widgets.example.com") // and discovery a little later
	f.Serve(widgets.GroupVersion(), "gadgets", "widgets")
	got.Until("widget", got.Has(key))
	if w := got.Objects[key].(*Widget); w.Spec.Size != 3 || w.Spec.Unread != "" || w.ManagedFields != nil {
		t.Errorf("decoded %+v", w)
	}
	if !got.Complete {
		t.Error("a kind that came later made a batch incomplete")
	}

	f.Serve(widgets.GroupVersion(), "gadgets")
	if err := f.Metadata.Tracker().Delete(customResourceDefinitions, "", "widgets.example.com"); err != nil {
		t.Fatal(err)
	}
	got.Until("dropped", got.HasNot(key))

	f.Serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	got.Until("back", got.Has(key))
}

func TestCustomKindAtTheStartIsWaitedFor(t *testing.T) {
	ctx, f := context.Background(), newFakes()
	f.Serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	if _, err := f.Dynamic.Resource(widgets).Namespace("shop").Create(ctx, widget("a", int64(3)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, got := f.cluster(t, Options{Kinds: []kinds.Kind{widgetKind()}})
	got.Until("complete", got.IsComplete)
	if got.Objects[unit.Key{Kind: "Widget", Namespace: "shop", Name: "a"}] == nil {
		t.Error("complete without the widget")
	}
}

// An object that cannot be decoded is treated as absent, and the others of its kind are
// delivered.
func TestUnreadableCustomObject(t *testing.T) {
	ctx, f := context.Background(), newFakes()
	f.Serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	client := f.Dynamic.Resource(widgets).Namespace("shop")
	for _, w := range []*unstructured.Unstructured{widget("good", int64(1)), widget("bad", "huge")} {
		if _, err := client.Create(ctx, w, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	_, got := f.cluster(t, Options{Kinds: []kinds.Kind{widgetKind()}})
	got.Until("complete", got.IsComplete)
	if len(got.Objects) != 1 || got.Objects[unit.Key{Kind: "Widget", Namespace: "shop", Name: "good"}] == nil {
		t.Errorf("have %v", got.Objects)
	}
}

// The bundle release of a definition is delivered for our kinds, and for no others.
func TestBundleOfDefinitions(t *testing.T) {
	f := newFakes()
	client := f.Metadata.Tracker()
	definition := func(name, version string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{
			TypeMeta: metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
			ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version, Annotations: map[string]string{
				consts.BundleVersionAnnotation: version, "other": "value",
			}},
		}
	}
	for _, d := range []*metav1.PartialObjectMetadata{
		definition("widgets.example.com", "v1"), definition("gadgets.example.com", "v1"),
	} {
		if err := client.Create(customResourceDefinitions, d, ""); err != nil {
			t.Fatal(err)
		}
	}
	_, got := f.cluster(t, Options{Kinds: []kinds.Kind{widgetKind()}})
	key := unit.Key{Kind: unit.CustomResourceDefinition, Name: "widgets.example.com"}
	got.Until("the definition", got.Has(key))
	if err := client.Update(customResourceDefinitions, definition("widgets.example.com", "v2"), ""); err != nil {
		t.Fatal(err)
	}
	got.Until("its next version", func() bool {
		have := got.Objects[key].GetAnnotations()
		return len(have) == 1 && have[consts.BundleVersionAnnotation] == "v2"
	})
	if err := client.Delete(customResourceDefinitions, "", "widgets.example.com"); err != nil {
		t.Fatal(err)
	}
	got.Until("its end", got.HasNot(key))
	if len(got.Objects) != 0 {
		t.Errorf("have %v", got.Objects)
	}
}
