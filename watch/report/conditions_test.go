package report

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/experimental"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// A merge patch keeps the fields that it does not name, so it has to name those to remove.
func TestReplacedStatusLeavesNothingBehind(t *testing.T) {
	set := &gatewayv1.ListenerSet{Status: gatewayv1.ListenerSetStatus{Listeners: []gatewayv1.ListenerEntryStatus{{Name: "l"}}}}
	for name, c := range map[string]struct {
		status gatewayv1.ListenerSetStatus
		want   map[string]any
	}{
		"without listeners": {want: map[string]any{"listeners": nil}},
		"with another": {
			status: gatewayv1.ListenerSetStatus{Listeners: []gatewayv1.ListenerEntryStatus{{Name: "m"}}},
			want:   map[string]any{"listeners": []any{map[string]any{"name": "m", "attachedRoutes": 0.}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := replacementPatch(kinds.Kind{}, set, c.status)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, patch); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Definitions up to Gateway API 1.4 refuse a status of listeners without their ports.
func TestStatusOfXListenerSetHasPorts(t *testing.T) {
	set := &experimental.XListenerSet{}
	set.Spec.Listeners = []gatewayv1.ListenerEntry{{Name: "open", Port: 80}}
	kind := kindNamed(t, unit.XListenerSet)
	patch, err := replacementPatch(kind, set, gatewayv1.ListenerSetStatus{Listeners: []gatewayv1.ListenerEntryStatus{{Name: "open"}}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(patch)
	if want := `{"listeners":[{"attachedRoutes":0,"name":"open","port":80,"supportedKinds":[]}]}`; string(text) != want {
		t.Errorf("status %s, want %s", text, want)
	}
}

// Definitions up to Gateway API 1.4 refuse a status of listeners without their kinds.
func TestStatusOfListenersHasKinds(t *testing.T) {
	for _, name := range []unit.Kind{unit.Gateway} {
		kind := kindNamed(t, name)
		patch, err := replacementPatch(kind, kind.New(), gatewayv1.GatewayStatus{Listeners: []gatewayv1.ListenerStatus{{Name: "a"}}})
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := json.Marshal(patch); !strings.Contains(string(text), `"supportedKinds":[]`) {
			t.Errorf("%s: status %s", name, text)
		}
	}
}

func kindNamed(t *testing.T, name unit.Kind) kinds.Kind {
	t.Helper()
	for _, kind := range kinds.All() {
		if kind.Name == name {
			return kind
		}
	}
	t.Fatalf("no kind %s", name)
	return kinds.Kind{}
}

// listedStatus is a status that Go cannot compare.
type listedStatus struct{ names []string }

func (s listedStatus) Counted(map[string]int) unit.Status { return s }
func (s listedStatus) Refused(string) unit.Status         { return s }
func (s listedStatus) Diagnostics() []unit.Verdict        { return nil }
func (s listedStatus) Merge(unit.Object, unit.Moment) (any, bool) {
	return map[string]any{"names": s.names}, true
}

// oneObject is a cluster with one object, which counts the patches of its status.
type oneObject struct {
	object  unit.Object
	patches int
}

func (c *oneObject) Get(unit.Key) unit.Object  { return c.object }
func (c *oneObject) Kind(unit.Kind) kinds.Kind { return kinds.Kind{} }
func (c *oneObject) Observe(func(unit.Key))    {}
func (c *oneObject) PatchStatus(context.Context, unit.Key, string, any) error {
	c.patches++
	return nil
}

// A status that holds a list is written, once for each version of its object.
func TestStatusWithAListIsWrittenOnce(t *testing.T) {
	key := unit.KongUpstreamPolicy.Key("shop", "hash")
	web := watchtest.Ingress("web")
	web.ResourceVersion = "1"
	cluster := &oneObject{object: web}
	c := newConditions(cluster, &gatewayAddresses{}, func(unit.Key) string { return "" }, statusWrites{watchtest.Quiet(), func(StatusWrite) {}})
	c.report(Report{Object: key, Status: listedStatus{names: []string{"a"}}})
	for range 2 {
		if c.process(t.Context(), key) {
			t.Fatal("the write failed")
		}
	}
	if cluster.patches != 1 {
		t.Errorf("%d patches, want 1", cluster.patches)
	}
}
