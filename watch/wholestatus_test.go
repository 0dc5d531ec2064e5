package watch

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// TestWholeStatusLeavesNothingBehind: a merge patch keeps the fields that it does not name.
func TestWholeStatusLeavesNothingBehind(t *testing.T) {
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
			patch, err := replacing(Kind{}, set, c.status)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, patch); diff != "" {
				t.Error(diff)
			}
		})
	}
}
