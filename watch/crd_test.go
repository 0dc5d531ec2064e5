package watch

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/gateway-api/pkg/consts"

	"github.com/kube-sync/kube-sync/translate/unit"
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

func widgetKind() Kind {
	return Kind{
		Name: "Widget", Resource: widgets, Namespaced: true, Custom: true, New: created[Widget](),
		Strip: on(func(w *Widget) { w.Spec.Unread = "" }),
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

func (f *fakes) define(t *testing.T, name string) {
	t.Helper()
	definition := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	if err := f.metadata.Tracker().Create(customResourceDefinitions, definition, ""); err != nil {
		t.Fatal(err)
	}
}

func TestCustomKindComesAndGoes(t *testing.T) {
	ctx, f := context.Background(), newFakes(ingress("web"))
	if _, err := f.dynamic.Resource(widgets).Namespace("shop").Create(ctx, widget("a", int64(3)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, got := f.cluster(t, ClusterOptions{Kinds: append(CoreKinds(), widgetKind())})
	got.until("complete without the kind", got.isComplete)
	key := unit.Key{Kind: "Widget", Namespace: "shop", Name: "a"}
	if got.objects[key] != nil {
		t.Error("delivered before its kind is served")
	}

	f.define(t, "widgets.example.com") // and discovery a little later
	f.serve(widgets.GroupVersion(), "gadgets", "widgets")
	got.until("widget", got.has(key))
	if w := got.objects[key].(*Widget); w.Spec.Size != 3 || w.Spec.Unread != "" || w.ManagedFields != nil {
		t.Errorf("decoded %+v", w)
	}
	if !got.complete {
		t.Error("a kind that came later made us incomplete")
	}

	f.serve(widgets.GroupVersion(), "gadgets")
	if err := f.metadata.Tracker().Delete(customResourceDefinitions, "", "widgets.example.com"); err != nil {
		t.Fatal(err)
	}
	got.until("dropped", got.hasNot(key))

	f.serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	got.until("back", got.has(key))
}

func TestCustomKindAtTheStartIsWaitedFor(t *testing.T) {
	ctx, f := context.Background(), newFakes()
	f.serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	if _, err := f.dynamic.Resource(widgets).Namespace("shop").Create(ctx, widget("a", int64(3)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, got := f.cluster(t, ClusterOptions{Kinds: []Kind{widgetKind()}})
	got.until("complete", got.isComplete)
	if got.objects[unit.Key{Kind: "Widget", Namespace: "shop", Name: "a"}] == nil {
		t.Error("complete without the widget")
	}
}

// An object of a shape that we don't know is as good as absent, and the others
// of its kind are delivered.
func TestUnreadableCustomObject(t *testing.T) {
	ctx, f := context.Background(), newFakes()
	f.serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	client := f.dynamic.Resource(widgets).Namespace("shop")
	for _, w := range []*unstructured.Unstructured{widget("good", int64(1)), widget("bad", "huge")} {
		if _, err := client.Create(ctx, w, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	_, got := f.cluster(t, ClusterOptions{Kinds: []Kind{widgetKind()}})
	got.until("complete", got.isComplete)
	if len(got.objects) != 1 || got.objects[unit.Key{Kind: "Widget", Namespace: "shop", Name: "good"}] == nil {
		t.Errorf("have %v", got.objects)
	}
}

// Which bundle the definitions of our kinds are of is an input of the translation; of others nothing is.
func TestBundleOfDefinitions(t *testing.T) {
	f := newFakes()
	client := f.metadata.Tracker()
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
	_, got := f.cluster(t, ClusterOptions{Kinds: []Kind{widgetKind()}})
	key := unit.Key{Kind: unit.CustomResourceDefinition, Name: "widgets.example.com"}
	got.until("the definition", got.has(key))
	if err := client.Update(customResourceDefinitions, definition("widgets.example.com", "v2"), ""); err != nil {
		t.Fatal(err)
	}
	got.until("its next version", func() bool {
		have := got.objects[key].GetAnnotations()
		return len(have) == 1 && have[consts.BundleVersionAnnotation] == "v2"
	})
	if err := client.Delete(customResourceDefinitions, "", "widgets.example.com"); err != nil {
		t.Fatal(err)
	}
	got.until("its end", got.hasNot(key))
	if len(got.objects) != 0 {
		t.Errorf("have %v", got.objects)
	}
}
