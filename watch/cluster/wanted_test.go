package cluster

import (
	"fmt"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

var secrets = corev1.SchemeGroupVersion.WithResource("secrets")

func secretKey(name string) unit.Key {
	return unit.Key{Kind: unit.Secret, Namespace: "shop", Name: name}
}

// secret writes a Secret to the fakes of both clients.
func (f fakes) secret(t *testing.T, name, version, value string) {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: "shop", Name: name, ResourceVersion: version}
	whole := &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"tls.crt": []byte(value)}}
	partial := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: meta}
	write := func(tracker clienttesting.ObjectTracker, object runtime.Object) error {
		if _, err := tracker.Get(secrets, "shop", name); apierrors.IsNotFound(err) {
			return tracker.Create(secrets, object, "shop")
		}
		return tracker.Update(secrets, object, "shop")
	}
	if err := write(f.Core.Tracker(), whole); err != nil {
		t.Fatal(err)
	}
	if err := write(f.Metadata.Tracker(), partial); err != nil {
		t.Fatal(err)
	}
}

func (f fakes) removeSecret(t *testing.T, name string) {
	t.Helper()
	if err := f.Core.Tracker().Delete(secrets, "shop", name); err != nil {
		t.Fatal(err)
	}
	if err := f.Metadata.Tracker().Delete(secrets, "shop", name); err != nil {
		t.Fatal(err)
	}
}

func (f fakes) gets() (names []string) {
	for _, action := range f.Core.Actions() {
		if action.GetVerb() == "get" && action.GetResource().Resource == "secrets" {
			names = append(names, action.(clienttesting.GetAction).GetName())
		}
	}
	return names
}

func TestSecretsAreFetchedWhenWanted(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	f.secret(t, "other", "1", "other")
	fetch := make(chan struct{})
	f.Core.PrependReactor("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		<-fetch
		return false, nil, nil
	})
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)
	if len(got.Objects) != 0 || len(f.gets()) != 0 {
		t.Fatalf("unwanted: %v, fetched %v", got.Objects, f.gets())
	}

	tls := secretKey("tls")
	c.Want([]unit.Key{tls, watchtest.IngressKey("web")})
	if c.Take().Complete {
		t.Error("complete without the wanted Secret")
	}
	close(fetch)
	got.Until("wanted", func() bool { return got.Complete && got.Value(tls) == "one" })

	c.Want([]unit.Key{tls})
	f.secret(t, "tls", "2", "two")
	got.Until("rotated", func() bool { return got.Value(tls) == "two" })
	if len(f.gets()) != 2 || got.Count[tls] != 2 {
		t.Errorf("fetched %v, delivered %d times", f.gets(), got.Count[tls])
	}

	c.Want(nil)
	got.Until("dropped", got.HasNot(tls))
	if c.Get(tls).(*metav1.PartialObjectMetadata) == nil || len(c.wanted.objects) != 0 {
		t.Error("still held")
	}
	f.secret(t, "tls", "3", "three")
	c.Want([]unit.Key{tls})
	got.Until("wanted again", func() bool { return got.Value(tls) == "three" })
}

func TestWantedSecretThatDoesNotExist(t *testing.T) {
	f := newFakes()
	c, got := f.cluster(t, Options{})
	late := secretKey("late")
	c.Want([]unit.Key{late})
	got.Until("complete", got.IsComplete)
	if got.Count[late] != 0 || len(f.gets()) != 0 {
		t.Errorf("delivered %d times, fetched %v", got.Count[late], f.gets())
	}
	f.secret(t, "late", "5", "here")
	got.Until("created", func() bool { return got.Value(late) == "here" })
	f.removeSecret(t, "late")
	got.Until("deleted", got.HasNot(late))
	f.secret(t, "late", "9", "again")
	got.Until("created again", func() bool { return got.Value(late) == "again" })
}

func TestSecretThatCannotBeFetchedYet(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	var failures atomic.Int32
	f.Core.PrependReactor("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return failures.Add(1) <= 3, nil, apierrors.NewServiceUnavailable("busy")
	})
	c, got := f.cluster(t, Options{})
	c.Want([]unit.Key{secretKey("tls")})
	got.Until("complete", got.IsComplete)
	if got.Value(secretKey("tls")) != "one" {
		t.Error("complete without the secret")
	}
}

func TestForbiddenSecretDoesNotHoldUpTheRest(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	f.secret(t, "hidden", "1", "hidden")
	f.Core.PrependReactor("get", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		refused := action.(clienttesting.GetAction).GetName() == "hidden"
		return refused, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "hidden", fmt.Errorf("no"))
	})
	c, got := f.cluster(t, Options{})
	c.Want([]unit.Key{secretKey("tls"), secretKey("hidden")})
	got.Until("complete", func() bool { return got.Complete && got.Value(secretKey("tls")) == "one" })
}

func TestSecretsOfHelmAreNotListed(t *testing.T) {
	f := newFakes()
	_, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)
	for _, action := range f.Metadata.Actions() {
		if list, ok := action.(clienttesting.ListAction); ok && action.GetResource() == secrets {
			if selector := list.GetListRestrictions().Fields.String(); selector != "type!=helm.sh/release.v1" {
				t.Errorf("listed with %q", selector)
			}
			return
		}
	}
	t.Error("not listed")
}

// A Secret is fetched in its namespace's turn, however many others are wanted.
func TestAStormOfSecretsDelaysNoOtherNamespace(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	const wanted = 2_000 // each is created in two fakes
	keys := []unit.Key{}
	for i := range wanted {
		meta := metav1.ObjectMeta{Namespace: "attacker", Name: fmt.Sprintf("s%05d", i), ResourceVersion: "1"}
		watchtest.Must(t, f.Core.Tracker().Create(secrets, &corev1.Secret{ObjectMeta: meta}, meta.Namespace))
		watchtest.Must(t, f.Metadata.Tracker().Create(secrets, &metav1.PartialObjectMetadata{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: meta}, meta.Namespace))
		keys = append(keys, unit.Key{Kind: unit.Secret, Namespace: meta.Namespace, Name: meta.Name})
	}
	o := &watchtest.Order{Release: make(chan struct{})}
	f.Core.PrependReactor("get", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.Note(action.GetNamespace())
		return false, nil, nil
	})
	c, got := f.cluster(t, Options{})
	got.Until("complete", got.IsComplete)
	c.Want(keys)
	watchtest.Eventually(t, "the storm is being fetched", func() bool { return o.Count() > 0 })
	c.Want(append(keys, secretKey("tls")))
	close(o.Release)
	got.Until("the other namespace's Secret", func() bool { return got.Value(secretKey("tls")) == "one" })
	// The fetchers reach the fake client in any order; without turns all of the storm comes first.
	if n, _ := o.Before("shop"); n > wanted/10 {
		t.Errorf("%d Secrets of the storm were fetched before the only one of another namespace", n)
	}
}
