package inspect

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// clock returns a recorder whose time is one second later at each look.
func clock() *Recorder {
	r := NewRecorder()
	now := time.Unix(1_000, 0)
	r.now = func() time.Time { now = now.Add(time.Second); return now }
	return r
}

func statusOf(r *Recorder) (s Status) {
	r.fill(&s)
	return s
}

func ingress(name string, written time.Time) unit.Change {
	object := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	if !written.IsZero() {
		object.ManagedFields = []metav1.ManagedFieldsEntry{{Time: &metav1.Time{Time: written}}}
	}
	return unit.Change{Key: unit.Ingress.Key("shop", name), Object: object}
}

func TestAChangeFromItsWriteToItsEffect(t *testing.T) {
	r := clock()
	written, seen := time.Unix(900, 0), time.Unix(901, 0)
	deleted := unit.Change{Key: unit.Ingress.Key("shop", "old")}
	r.Seen([]unit.Change{ingress("b", written.Add(time.Second)), ingress("a", written), deleted}, seen)
	r.Seen([]unit.Change{ingress("a", time.Time{})}, seen.Add(time.Second)) // again, before the apply
	r.Applied(gateway.Outcome{Hash: "1", Sent: true, Delta: true, Bytes: 10}, true)
	if s := statusOf(r); len(s.Changes) != 0 || !s.Configuration.Pending {
		t.Fatalf("after the first piece: %+v", s)
	}
	r.Applied(gateway.Outcome{Hash: "2", Sent: true, Delta: true, Bytes: 20}, false)
	s := statusOf(r)
	if len(s.Changes) != 1 || s.Configuration.Pending || s.Configuration.Effective {
		t.Fatalf("after the last piece: %+v", s)
	}
	c := s.Changes[0]
	want := []ChangedObject{{Object{"Ingress", "shop", "b"}, false}, {Object{"Ingress", "shop", "a"}, false}, {Object{"Ingress", "shop", "old"}, true}}
	if c.ID != 1 || !slices.Equal(c.Objects, want) || c.ObjectsTotal != 3 || c.Kinds["Ingress"] != 3 || c.Pieces != 2 || c.Bytes != 30 || c.Full || c.Hash != "2" {
		t.Errorf("the change is %+v", c)
	}
	if !c.Written.Equal(written) || !c.Seen.Equal(seen) || c.Acknowledged.IsZero() || !c.Effective.IsZero() {
		t.Errorf("its times are %v, %v, %v and %v", c.Written, c.Seen, c.Acknowledged, c.Effective)
	}
	r.Effective(false)
	if s := statusOf(r); s.Configuration.LaggingSince.IsZero() || !s.Changes[0].Effective.IsZero() {
		t.Errorf("while workers lag: %+v", s)
	}
	r.Effective(true)
	s = statusOf(r)
	if c := s.Changes[0]; !c.Effective.After(c.Acknowledged) || !s.Configuration.LaggingSince.IsZero() || !s.Configuration.Effective {
		t.Errorf("in the end: %+v", s)
	}
}

func TestTheHistoryIsBounded(t *testing.T) {
	r := clock()
	for n := range 2 * keptChanges {
		var many []unit.Change
		for m := range 2 * namedObjects {
			many = append(many, ingress(fmt.Sprint(n, "-", m), time.Time{}))
		}
		r.Seen(many, time.Unix(1, 0))
		r.Applied(gateway.Outcome{Hash: fmt.Sprint(n), Sent: true, Effective: true}, false)
	}
	s := statusOf(r)
	if len(s.Changes) != keptChanges || s.Changes[0].ID != 2*keptChanges {
		t.Errorf("%d changes, the newest is %d", len(s.Changes), s.Changes[0].ID)
	}
	if c := s.Changes[0]; len(c.Objects) != namedObjects || c.ObjectsTotal != 2*namedObjects || !c.Full {
		t.Errorf("%d of %d objects are named", len(c.Objects), c.ObjectsTotal)
	}
}

func TestWhatKongHadIsNoChange(t *testing.T) {
	r := clock()
	r.Seen([]unit.Change{ingress("a", time.Time{})}, time.Unix(1, 0))
	r.Applied(gateway.Outcome{Hash: "1", Effective: true}, false)
	if s := statusOf(r); len(s.Changes) != 0 || s.Configuration.Hash != "1" || s.Configuration.Pending {
		t.Errorf("%+v", s)
	}
}

func TestAFailureIsKeptUntilAnApplySucceeds(t *testing.T) {
	r := clock()
	r.Failed(errors.New("Kong\nis away"))
	if s := statusOf(r); s.Configuration.Failure != `Kong\nis away` {
		t.Errorf("the failure is %q", s.Configuration.Failure)
	}
	r.Applied(gateway.Outcome{Hash: "1"}, false)
	if s := statusOf(r); s.Configuration.Failure != "" {
		t.Errorf("the failure stays: %q", s.Configuration.Failure)
	}
}

func TestTheNewestFaultyObjects(t *testing.T) {
	r := clock()
	for n := range listedFaulty + 5 {
		key := unit.Ingress.Key("shop", fmt.Sprintf("i%02d", n))
		verdict := unit.Warning(key, "ServiceNotFound", "Service shop/x\ndoes not exist").At("spec.rules[0]")
		r.Reported(key, []unit.Verdict{verdict, verdict, {Object: key, OK: true, Reason: "Accepted"}}, false)
	}
	s := statusOf(r)
	if len(s.Faults) != listedFaulty || s.FaultsTotal != listedFaulty+5 || s.Faults[0].Object.Name != "i24" {
		t.Fatalf("%d of %d, the newest is %v", len(s.Faults), s.FaultsTotal, s.Faults[0])
	}
	want := []Fault{{"spec.rules[0]", "ServiceNotFound", `Service shop/x\ndoes not exist`}}
	if !slices.Equal(s.Faults[0].Faults, want) {
		t.Errorf("the faults are %v", s.Faults[0].Faults)
	}
	first := unit.Ingress.Key("shop", "i00")
	since := r.faulty[first].Since
	r.Reported(first, []unit.Verdict{unit.Warning(first, "ServiceNotFound", "Service shop/x\ndoes not exist").At("spec.rules[0]")}, false)
	if !r.faulty[first].Since.Equal(since) {
		t.Error("a fault that is reported again is newer")
	}
	r.Reported(first, nil, false)
	r.Reported(unit.Ingress.Key("shop", "i01"), []unit.Verdict{unit.Warning(first, "A", "b")}, true)
	if s := statusOf(r); s.FaultsTotal != listedFaulty+3 {
		t.Errorf("%d objects are faulty after one was repaired and one is gone", s.FaultsTotal)
	}
}

func TestRefusalsKeepTheirTime(t *testing.T) {
	r := clock()
	key := unit.KongPlugin.Key("shop", "limit")
	refusals := []gateway.Refusal{{Object: key, Messages: []string{"no such field"}, Kept: true}, {Object: key, Messages: []string{"no such field", "too large"}}}
	r.Applied(gateway.Outcome{Refusals: refusals}, false)
	s := statusOf(r)
	if len(s.Refused) != 1 || s.Refused[0].Kept || !slices.Equal(s.Refused[0].Messages, []string{"no such field", "too large"}) {
		t.Fatalf("refused: %+v", s.Refused)
	}
	since := s.Refused[0].Since
	r.Applied(gateway.Outcome{Refusals: refusals[:1]}, false)
	if s := statusOf(r); !s.Refused[0].Since.Equal(since) || !s.Refused[0].Kept {
		t.Errorf("refused again: %+v", s.Refused)
	}
	r.Applied(gateway.Outcome{}, false)
	if s := statusOf(r); s.RefusedTotal != 0 {
		t.Errorf("no longer refused: %+v", s.Refused)
	}
}

func TestFollowersAreBoundedAndMissTheOldest(t *testing.T) {
	r := clock()
	changes, end, ok := r.follow()
	if !ok {
		t.Fatal("the first follower is refused")
	}
	for range subscribers - 1 {
		if _, _, ok := r.follow(); !ok {
			t.Fatal("a follower is refused")
		}
	}
	if _, _, ok := r.follow(); ok {
		t.Fatal("one follower too many")
	}
	for n := range behind + 3 {
		r.Seen([]unit.Change{ingress("a", time.Time{})}, time.Unix(1, 0))
		r.Applied(gateway.Outcome{Hash: fmt.Sprint(n), Sent: true, Effective: true}, false)
	}
	if first := <-changes; first.ID != 4 {
		t.Errorf("the oldest that a slow follower gets is %d", first.ID)
	}
	end()
	if _, _, ok := r.follow(); !ok {
		t.Error("the place of a follower that ended stays taken")
	}
}
