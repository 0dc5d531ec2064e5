package watch

import (
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/translate/unit"
)

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
