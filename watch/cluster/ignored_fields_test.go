package cluster

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// An object has a verdict about an ignored field for as long as it has the field.
func TestIgnoredFieldsHaveVerdicts(t *testing.T) {
	f, kind := newFakes(), widgetKind()
	kind.Ignored = func(object map[string]any) []kinds.IgnoredField {
		spec, _ := object["spec"].(map[string]any)
		if _, has := spec["former"]; !has {
			return nil
		}
		return []kinds.IgnoredField{{Path: "spec.former", Reason: "use size"}}
	}
	f.Serve(widgets.GroupVersion(), "widgets")
	f.define(t, "widgets.example.com")
	former := widget("a", int64(1))
	former.Object["spec"].(map[string]any)["former"] = "x"
	f.store(t, widgets, former, widget("b", int64(1)))
	c, got := f.cluster(t, Options{Kinds: []kinds.Kind{kind}})
	got.Until("complete", got.IsComplete)
	verdicts := c.Verdicts(widgetKey("a"))
	if len(verdicts) != 1 || verdicts[0].OK || verdicts[0].Reason != "FieldIgnored" || verdicts[0].Field != "spec.former" ||
		verdicts[0].Object != widgetKey("a") || verdicts[0].Message != "spec.former has no effect: use size" {
		t.Errorf("%+v", verdicts)
	}
	if verdicts := c.Verdicts(widgetKey("b")); len(verdicts) > 0 {
		t.Errorf("of an object without the field: %+v", verdicts)
	}
	updated := widget("a", int64(2))
	updated.SetResourceVersion("2")
	if _, err := f.Dynamic.Resource(widgets).Namespace("shop").Update(context.Background(), updated, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	watchtest.Eventually(t, "the verdict about the removed field is gone", func() bool { return len(c.Verdicts(widgetKey("a"))) == 0 })
}
