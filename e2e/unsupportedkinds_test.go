package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// Kinds that only Kong Enterprise supports have that in their status.
func TestUnsupportedKinds(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gateway(t, cp, nil)
	ns := cp.Namespace(t)
	license := fmt.Sprintf("apiVersion: configuration.konghq.com/v1alpha1\nkind: KongLicense\nmetadata: {name: %s}\nenabled: true\nrawLicenseString: none\n", ns)
	t.Cleanup(func() { _ = cp.Delete(context.WithoutCancel(t.Context()), "", license) })
	cp.MustApply(t, ns, license+`---
apiVersion: configuration.konghq.com/v1beta1
kind: KongConsumerGroup
metadata: {name: group, annotations: {kubernetes.io/ingress.class: kong}}
`)
	wantCondition(t, cp, schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1beta1", Resource: "kongconsumergroups"},
		ns, "group", "Programmed", "False")
	eventually.Nil(t, time.Minute, func() error {
		object, err := cp.Dynamic.Resource(schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1alpha1", Resource: "konglicenses"}).
			Get(t.Context(), ns, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if status := fmt.Sprint(object.Object["status"]); !strings.Contains(status, "False") {
			return fmt.Errorf("the license has the status %s", status)
		}
		return nil
	})
}
