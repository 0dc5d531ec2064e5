package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func foreign(name string) unit.ID { return unit.ID{Role: "ingress", Namespace: "foreign", Name: name} }

// large returns a route of a number of KiB.
func large(name string, kib int) *kong.Entity {
	return entity(kong.Routes, name, "service", "api", "tags", []string{strings.Repeat("x", kib<<10)})
}

// What does not fit is left out, and other changes are applied. It is applied when there is room.
func TestWhatDoesNotFitIsLeftOut(t *testing.T) {
	for _, companion := range []bool{true, false} {
		for says, limit := range map[string]func(*fakeKong){
			"nginx_admin_client_max_body_size": func(f *fakeKong) { f.maxBody = 60 << 10 },
			"lmdb_map_size":                    func(f *fakeKong) { f.maxMap = 60 << 10 },
			"volume of Kong's prefix":          func(f *fakeKong) { f.maxMap, f.disk = 60<<10, true },
		} {
			t.Run(fmt.Sprintf("%s,companion=%t", says, companion), func(t *testing.T) {
				fake, admin := newFakeKong(t)
				fake.companion = companion
				limit(fake)
				g, units := New(admin, noRelay{}), shop()
				units.set(ingress("big"), large("big", 30))
				apply(t, g, units)

				units.set(foreign("a"), large("a", 20), large("b", 100), large("c", 20))
				units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
				if fake.disk && !companion { // which may be temporary
					if _, err := g.Apply(t.Context(), units, nil); !errors.Is(err, adminapi.ErrFailed) {
						t.Errorf("%v", err)
					}
				}
				outcome := applyChanged(t, g, units, foreign("a"), ingress("new"))
				if got := fake.names(kong.Routes); !slices.Equal(got, []string{"big", "new", "old", "web"}) {
					t.Errorf("routes %v", got)
				}
				left := func(outcome Outcome) {
					t.Helper()
					if len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != foreign("a") || outcome.Refusals[0].Reason != TooLarge || !strings.Contains(refusals(outcome), says) ||
						!strings.Contains(refusals(outcome), " bytes of this object are left out") {
						t.Errorf("refusals:\n%s", refusals(outcome))
					}
				}
				left(outcome)
				units.set(ingress("new"), entity(kong.Routes, "newer", "service", "api"))
				left(applyChanged(t, g, units, ingress("new")))
				if got := fake.names(kong.Routes); !slices.Equal(got, []string{"big", "newer", "old", "web"}) {
					t.Errorf("routes %v", got)
				}
				fake.maxBody, fake.maxMap = 0, 0
				delete(units.views, ingress("big"))
				applyChanged(t, g, units, ingress("big"))
				if outcome := applyChanged(t, g, units); len(outcome.Refusals) > 0 {
					t.Errorf("with room: %s", refusals(outcome))
				}
				if got := fake.names(kong.Routes); !slices.Equal(got, []string{"a", "b", "c", "newer", "old", "web"}) {
					t.Errorf("routes %v", got)
				}
			})
		}
	}
}

// A gateway that starts with too large a configuration leaves out the largest units of the largest
// namespace.
func TestWhatDoesNotFitAtTheStart(t *testing.T) {
	fake, admin := newFakeKong(t)
	fake.maxMap = 80 << 10
	g, units := New(admin, noRelay{}), shop()
	units.set(ingress("big"), large("big", 40))
	want := []string{"big"}
	for i := range 10 {
		name := fmt.Sprintf("f%d", i)
		units.set(foreign(name), large(name, 5+i))
	}
	outcome := apply(t, g, units)
	for _, r := range outcome.Refusals {
		if r.Unit.Namespace != "foreign" || r.Unit.Name < "f5" {
			t.Errorf("left out: %v", r.Unit)
		}
	}
	for i := range 5 {
		want = append(want, fmt.Sprintf("f%d", i))
	}
	if got := fake.names(kong.Routes); !slices.Equal(got, append(want, "old", "web")) {
		t.Errorf("routes %v", got)
	}
}

// A Kong that accepts nothing keeps what it has.
func TestAKongThatTakesNothing(t *testing.T) {
	fake, admin := newFakeKong(t)
	g, units := New(admin, noRelay{}), shop()
	apply(t, g, units)
	fake.maxBody = 1
	before := fake.hash
	units.set(ingress("new"), entity(kong.Routes, "new", "service", "api"))
	outcome, err := g.Apply(t.Context(), units, nil)
	if err != nil || outcome.Sent || fake.hash != before || !strings.Contains(refusals(outcome), http.StatusText(http.StatusRequestEntityTooLarge)) && !strings.Contains(refusals(outcome), "max_body_size") {
		t.Errorf("%v, %+v", err, outcome)
	}
}
