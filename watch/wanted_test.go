package watch

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
)

var secrets = corev1.SchemeGroupVersion.WithResource("secrets")

func secretKey(name string) unit.Key {
	return unit.Key{Kind: unit.Secret, Namespace: "shop", Name: name}
}

// secret writes a Secret to both fakes; a real API server is one.
func (f *fakes) secret(t *testing.T, name, version, value string) {
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
	if err := write(f.core.Tracker(), whole); err != nil {
		t.Fatal(err)
	}
	if err := write(f.metadata.Tracker(), partial); err != nil {
		t.Fatal(err)
	}
}

func (f *fakes) removeSecret(t *testing.T, name string) {
	t.Helper()
	if err := f.core.Tracker().Delete(secrets, "shop", name); err != nil {
		t.Fatal(err)
	}
	if err := f.metadata.Tracker().Delete(secrets, "shop", name); err != nil {
		t.Fatal(err)
	}
}

func (f *fakes) gets() (names []string) {
	for _, action := range f.core.Actions() {
		if action.GetVerb() == "get" && action.GetResource().Resource == "secrets" {
			names = append(names, action.(clienttesting.GetAction).GetName())
		}
	}
	return names
}

func (c *consumer) value(key unit.Key) string {
	if secret, ok := c.objects[key].(*corev1.Secret); ok {
		return string(secret.Data["tls.crt"])
	}
	return ""
}

func TestSecretsAreFetchedWhenWanted(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	f.secret(t, "other", "1", "other")
	c, got := f.cluster(t, ClusterOptions{})
	got.until("complete", got.isComplete)
	if len(got.objects) != 0 || len(f.gets()) != 0 {
		t.Fatalf("unwanted: %v, fetched %v", got.objects, f.gets())
	}

	tls := secretKey("tls")
	c.Want([]unit.Key{tls, ingressKey("web")})
	if c.Take().Complete {
		t.Error("complete before what is wanted came")
	}
	got.until("wanted", func() bool { return got.complete && got.value(tls) == "one" })

	c.Want([]unit.Key{tls})
	f.secret(t, "tls", "2", "two")
	got.until("rotated", func() bool { return got.value(tls) == "two" })
	if len(f.gets()) != 2 || got.count[tls] != 2 {
		t.Errorf("fetched %v, delivered %d times", f.gets(), got.count[tls])
	}

	c.Want(nil)
	got.until("dropped", got.hasNot(tls))
	if c.Get(tls).(*metav1.PartialObjectMetadata) == nil || len(c.wanted.objects) != 0 {
		t.Error("still held")
	}
	f.secret(t, "tls", "3", "three")
	c.Want([]unit.Key{tls})
	got.until("wanted again", func() bool { return got.value(tls) == "three" })
}

func TestWantedSecretThatDoesNotExist(t *testing.T) {
	f := newFakes()
	c, got := f.cluster(t, ClusterOptions{})
	late := secretKey("late")
	c.Want([]unit.Key{late})
	got.until("complete", got.isComplete)
	if got.count[late] != 0 || len(f.gets()) != 0 {
		t.Errorf("delivered %d times, fetched %v", got.count[late], f.gets())
	}
	f.secret(t, "late", "5", "here")
	got.until("created", func() bool { return got.value(late) == "here" })
	f.removeSecret(t, "late")
	got.until("deleted", got.hasNot(late))
	f.secret(t, "late", "9", "again")
	got.until("created again", func() bool { return got.value(late) == "again" })
}

func TestSecretThatCannotBeFetchedYet(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	var failures atomic.Int32
	f.core.PrependReactor("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return failures.Add(1) <= 3, nil, apierrors.NewServiceUnavailable("busy")
	})
	c, got := f.cluster(t, ClusterOptions{})
	c.Want([]unit.Key{secretKey("tls")})
	got.until("complete", got.isComplete)
	if got.value(secretKey("tls")) != "one" {
		t.Error("complete without the secret")
	}
}

func TestForbiddenSecretDoesNotHoldUpTheRest(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	f.secret(t, "hidden", "1", "hidden")
	f.core.PrependReactor("get", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		refused := action.(clienttesting.GetAction).GetName() == "hidden"
		return refused, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "hidden", fmt.Errorf("no"))
	})
	c, got := f.cluster(t, ClusterOptions{})
	c.Want([]unit.Key{secretKey("tls"), secretKey("hidden")})
	got.until("complete", func() bool { return got.complete && got.value(secretKey("tls")) == "one" })
}

func TestSecretsOfHelmAreNotListed(t *testing.T) {
	f := newFakes()
	_, got := f.cluster(t, ClusterOptions{})
	got.until("complete", got.isComplete)
	for _, action := range f.metadata.Actions() {
		if list, ok := action.(clienttesting.ListAction); ok && action.GetResource() == secrets {
			if selector := list.GetListRestrictions().Fields.String(); selector != "type!=helm.sh/release.v1" {
				t.Errorf("listed with %q", selector)
			}
			return
		}
	}
	t.Error("not listed")
}
