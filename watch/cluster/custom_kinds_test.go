package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// versioned is the widget kind with an older version.
func versioned() kinds.Kind {
	kind := widgetKind()
	kind.Older = []string{"v1beta1"}
	return kind
}

// older returns a widget of the older version.
func older(name string, size any) *unstructured.Unstructured {
	w := widget(name, size)
	w.SetAPIVersion("example.com/v1beta1")
	return w
}

func widgetKey(name string) unit.Key { return unit.Key{Kind: "Widget", Namespace: "shop", Name: name} }

func (f fakes) store(t *testing.T, resource schema.GroupVersionResource, objects ...*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if _, err := f.Dynamic.Resource(resource).Namespace("shop").Create(context.Background(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// redefine changes the spec of a definition.
func (f fakes) redefine(t *testing.T, name string, generation int64) {
	t.Helper()
	definition := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Generation: generation, ResourceVersion: "2"},
	}
	if err := f.Metadata.Tracker().Update(customResourceDefinitions, definition, ""); err != nil {
		t.Fatal(err)
	}
}

// recordedStates collects the reported states of kinds.
type recordedStates struct {
	mu  sync.Mutex
	all []KindState
}

func (h *recordedStates) record(r KindState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, r)
}

func (h *recordedStates) states() (states []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.all {
		states = append(states, string(r.State)+" "+r.Version)
	}
	return states
}

func wantStates(t *testing.T, h *recordedStates, want ...string) {
	t.Helper()
	watchtest.Eventually(t, "states of the kind", func() bool { return slices.Equal(h.states(), want) })
}

// A kind that is served only in an older version is read in it and its status is written in
// it. Its objects look like those of the newest version.
func TestOlderVersionIsRead(t *testing.T) {
	f, h := newFakes(), &recordedStates{}
	f.Serve(olderWidgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	f.store(t, olderWidgets, older("a", int64(3)))
	c, got := f.cluster(t, Options{Kinds: []kinds.Kind{versioned()}, KindState: h.record})
	got.Until("complete", got.IsComplete)
	w, ok := got.Objects[widgetKey("a")].(*Widget)
	if !ok || w.Spec.Size != 3 || w.APIVersion != "example.com/v1" {
		t.Fatalf("delivered %+v", got.Objects)
	}
	if err := c.PatchStatus(context.Background(), widgetKey("a"), "1", map[string]any{"x": "y"}); err != nil {
		t.Error(err)
	}
	patched := slices.IndexFunc(f.Dynamic.Actions(), func(a clienttesting.Action) bool {
		return a.GetVerb() == "patch" && a.GetResource() == olderWidgets && a.GetSubresource() == "status"
	})
	if patched < 0 {
		t.Errorf("the status was not written in the older version: %v", f.Dynamic.Actions())
	}
	wantStates(t, h, "read v1beta1")
}

// When the newest version becomes served, objects of both versions are never delivered as
// gone, and objects of the older one alone are.
func TestChangeOfServedVersion(t *testing.T) {
	f, h := newFakes(), &recordedStates{}
	f.Serve(olderWidgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	f.store(t, olderWidgets, older("same", int64(1)), older("gone", int64(1)))
	c, got := f.cluster(t, Options{Kinds: []kinds.Kind{versioned()}, KindState: h.record})
	got.Until("complete", got.IsComplete)

	f.store(t, widgets, widget("same", int64(1)), widget("new", int64(2)))
	f.redefine(t, "widgets.example.com", 2) // and discovery a little later
	f.Serve(widgets.GroupVersion(), "widgets")
	got.Until("the new object", got.Has(widgetKey("new")))
	got.Until("without the removed object", got.HasNot(widgetKey("gone")))
	if got.Objects[widgetKey("same")] == nil || got.Lost[widgetKey("same")] > 0 {
		t.Errorf("an object of both versions was gone %d times", got.Lost[widgetKey("same")])
	}
	if c.caches.resource("Widget") != widgets || c.Get(widgetKey("same")) == nil || c.Get(widgetKey("gone")) != nil {
		t.Errorf("read as %v; cached %v, %v", c.caches.resource("Widget"), c.Get(widgetKey("same")), c.Get(widgetKey("gone")))
	}

	// And back, as when definitions are rolled back.
	f.store(t, olderWidgets, older("late", int64(1)))
	f.Serve(widgets.GroupVersion())
	f.redefine(t, "widgets.example.com", 3)
	got.Until("the object of the older version alone", got.Has(widgetKey("late")))
	if got.Objects[widgetKey("same")] == nil || got.Lost[widgetKey("same")] > 0 {
		t.Error("an object of both versions was gone")
	}
	wantStates(t, h, "read v1beta1", "read v1", "read v1beta1")
	if !got.Complete {
		t.Error("a change of versions made a batch incomplete")
	}
}

// A kind that is not read is reported once, with the reason.
func TestKindsThatAreNotRead(t *testing.T) {
	f, h, log := newFakes(), &recordedStates{}, &watchtest.Log{}
	f.Serve(schema.GroupVersion{Group: "example.com", Version: "v1alpha9"}, "widgets")
	_, got := f.cluster(t, Options{Kinds: []kinds.Kind{versioned()}, KindState: h.record, Log: log.Logger()})
	got.Until("complete", got.IsComplete)
	wantStates(t, h, "undefined ")

	f.define(t, "widgets.example.com")
	wantStates(t, h, "undefined ", "unsupported ")
	if n := log.Count("level=WARN msg=\"a custom kind is not read: the cluster serves it only in versions that cannot be read\""); n != 1 {
		t.Errorf("logged %d times", n)
	}

	forbidden := apierrors.NewForbidden(widgets.GroupResource(), "", errors.New("not in a Role"))
	var mu sync.Mutex
	refuse := true
	f.Dynamic.PrependReactor("list", "widgets", func(clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		return refuse, nil, forbidden
	})
	f.Serve(olderWidgets.GroupVersion(), "widgets")
	watchtest.Eventually(t, "the kind is forbidden", func() bool { return slices.Contains(h.states(), "forbidden v1beta1") })
	until := []string{"undefined ", "unsupported ", "forbidden v1beta1"}
	if slices.Contains(h.states(), "read v1beta1") { // unless its first list was refused before that
		until = slices.Insert(until, 2, "read v1beta1")
	}
	wantStates(t, h, until...)
	mu.Lock()
	refuse = false
	mu.Unlock()
	wantStates(t, h, append(until, "read v1beta1")...)
}
