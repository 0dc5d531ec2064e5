package report

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

func TestGatewaysAreFoundByOwnedObjects(t *testing.T) {
	o := newOwnedServices(newFakes().cluster(t), watchtest.Quiet())
	o.setQueue(watch.NewFairQueue(workqueue.DefaultTypedControllerRateLimiter[unit.Key]()))
	gateway := unit.Key{Kind: unit.Gateway, Namespace: "shop", Name: "web"}
	object := &corev1.Service{TypeMeta: metav1.TypeMeta{Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-kong"}}
	o.report(Report{Object: gateway, Owned: []unit.Object{object}})
	if key, _ := o.work.Get(); key != gateway {
		t.Fatalf("%v is written", key)
	}
	o.work.Done(gateway)
	// The first belongs to no Gateway.
	for want, key := range []unit.Key{{Kind: unit.Service, Namespace: "shop", Name: "other"}, keyOf(object)} {
		if o.observed(key); o.work.Len() != want {
			t.Errorf("%d Gateways are reconciled for %v, want %d", o.work.Len(), key, want)
		}
	}
	o.report(Report{Object: gateway})
	if len(o.gateway) != 0 {
		t.Error("an object that is no longer owned is remembered")
	}
}

func TestADenialIsReportedOnce(t *testing.T) {
	log := &watchtest.Log{}
	o := newOwnedServices(newFakes().cluster(t), log.Logger())
	gateway := unit.Key{Kind: unit.Gateway, Namespace: "shop", Name: "web"}
	var reported []string
	o.deniedChanged = func(gateway unit.Key) { reported = append(reported, o.deniedTo(gateway)) }
	for _, why := range []string{"", "forbidden", "forbidden", "", ""} {
		o.deny(gateway, why)
	}
	if !slices.Equal(reported, []string{"forbidden", ""}) || log.Count(`may not be written" owner="Gateway shop/web"`) != 1 {
		t.Errorf("reported %q, log:\n%s", reported, log.String())
	}
	o.deny(gateway, "forbidden")
	o.report(Report{Object: gateway, Gone: true})
	if len(o.denied) != 0 || len(o.desired) != 0 {
		t.Error("a Gateway that is gone is still held")
	}
}
