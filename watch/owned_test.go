package watch

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// What was made for a Gateway is found among all that there is, and of no other one.
func TestWhatWasMadeForAGateway(t *testing.T) {
	service := func(namespace, name, managedBy, gateway string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{
			"app.kubernetes.io/managed-by": managedBy, "gateway.networking.k8s.io/gateway-name": gateway}}}
	}
	long := strings.Repeat("long", 30)
	labeled := owned.Key("", long)[1:]
	f := newFakes(service("shop", "web-kong", "kube-sync", "web"), service("shop", "other-kong", "kube-sync", "other"),
		service("shop", "foreign", "another", "web"), service("elsewhere", "web-kong", "kube-sync", "web"),
		service("shop", "long-kong", "kube-sync", labeled))
	c, got := f.cluster(t, ClusterOptions{})
	got.until("complete", got.isComplete)
	for gateway, want := range map[string][]string{"web": {"web-kong"}, long: {"long-kong"}, "none": nil} {
		var names []string
		for _, object := range c.madeFor(unit.Service, unit.Key{Kind: unit.Gateway, Namespace: "shop", Name: gateway}) {
			names = append(names, object.GetNamespace()+"/"+object.GetName())
		}
		if len(names) != len(want) || len(want) == 1 && names[0] != "shop/"+want[0] {
			t.Errorf("for Gateway %.10s: %v, want %v", gateway, names, want)
		}
	}
}

func TestOwnersAreFoundByWhatTheyOwn(t *testing.T) {
	c, err := newCluster(ClusterOptions{Log: quiet()}, newFakes().clients(), &contact{})
	must(t, err)
	o := newOwned(c, quiet())
	o.use(newFairQueue(workqueue.DefaultTypedControllerRateLimiter[unit.Key]()))
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
			t.Errorf("%d Gateways are looked at again for %v, want %d", o.work.Len(), key, want)
		}
	}
	o.report(Report{Object: gateway})
	if len(o.owner) != 0 {
		t.Error("what is owned no longer is remembered")
	}
}

func TestADenialIsToldAndTakenBackOnce(t *testing.T) {
	log := &lines{}
	c, err := newCluster(ClusterOptions{Log: quiet()}, newFakes().clients(), &contact{})
	must(t, err)
	o := newOwned(c, log.logger())
	gateway := unit.Key{Kind: unit.Gateway, Namespace: "shop", Name: "web"}
	var told []string
	o.observeDenials(func(owner unit.Key) { told = append(told, o.deniedTo(owner)) })
	for _, why := range []string{"", "forbidden", "forbidden", "", ""} {
		o.deny(gateway, why)
	}
	if !slices.Equal(told, []string{"forbidden", ""}) || log.count(`may not be written" owner="Gateway shop/web"`) != 1 {
		t.Errorf("told %q, log:\n%s", told, &log.text)
	}
	o.deny(gateway, "forbidden")
	o.report(Report{Object: gateway, Gone: true})
	if len(o.denied) != 0 || len(o.desired) != 0 {
		t.Error("a Gateway that is gone is still held")
	}
}
