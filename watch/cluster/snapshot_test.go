package cluster

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// TestRealSnapshotHasWhatTheSourceDelivers compares a snapshot with what the watching source
// delivers of the same cluster.
func TestRealSnapshotHasWhatTheSourceDelivers(t *testing.T) {
	r := onRealCluster(t)
	for i := range 3 {
		r.Ingress("web-"+string(rune('a'+i)), "a.example")
	}
	r.secret("tls", corev1.SecretTypeOpaque, "one")
	r.secret("release", "helm.sh/release.v1", "large")
	wanted := []unit.Key{r.Key(unit.Secret, "tls"), r.Key(unit.Secret, "release"), r.Key(unit.Secret, "absent")}

	c, got := r.run(Options{})
	c.Want(wanted)
	got.Until("complete", got.IsComplete)

	snapshot, err := TakeSnapshot(r.Ctx, Options{RESTConfig: r.Config, Log: watchtest.Quiet()})
	watchtest.Must(t, err)
	fetched, err := snapshot.Fetch(r.Ctx, wanted)
	watchtest.Must(t, err)
	found := map[unit.Key]unit.Object{}
	for _, change := range append(snapshot.Changes, fetched...) {
		if change.Key.Namespace == r.Namespace {
			found[change.Key] = change.Object
		}
	}
	for key, object := range got.Objects {
		if key.Namespace != r.Namespace {
			continue
		}
		if found[key] == nil || !c.Kind(key.Kind).Same(found[key], object) {
			t.Errorf("%v: the snapshot has %+v, the source delivered %+v", key, found[key], object)
		}
		delete(found, key)
	}
	for key := range found {
		t.Errorf("%v is in the snapshot only", key)
	}
	if got.Value(wanted[0]) != "one" {
		t.Error("the source did not deliver the Secret")
	}
}

func TestRealSnapshotNamesAllMissingRights(t *testing.T) {
	r := onRealCluster(t)
	r.Ingress("web", "a.example")
	config := r.restricted()
	core := Options{RESTConfig: config, Kinds: kinds.Core(), Log: watchtest.Quiet()}

	_, err := TakeSnapshot(r.Ctx, core)
	var missing MissingRights
	if !errors.As(err, &missing) {
		t.Fatalf("error %v", err)
	}
	for _, resource := range []string{"ingresses", "ingressclasses", "services", "endpointslices", "namespaces"} {
		if !slices.ContainsFunc(missing, func(right Right) bool { return right.Resource.Resource == resource && right.Verb == "list" }) {
			t.Errorf("%s is not among the missing rights: %v", resource, err)
		}
	}

	core.Namespaces = []string{r.Namespace}
	snapshot, err := TakeSnapshot(r.Ctx, core)
	watchtest.Must(t, err)
	if !slices.ContainsFunc(snapshot.Changes, func(c unit.Change) bool { return c.Key == r.Key(unit.Ingress, "web") }) {
		t.Errorf("have %v", snapshot.Changes)
	}
	if len(snapshot.LeftOut) != 2 {
		t.Errorf("left out %v, want IngressClasses and the Namespace", snapshot.LeftOut)
	}
	_, err = snapshot.Fetch(r.Ctx, []unit.Key{unit.Secret.Key("kube-system", "a"), unit.Secret.Key("kube-system", "b")})
	if !errors.As(err, &missing) || len(missing) != 2 {
		t.Errorf("error %v, want both Secrets", err)
	}
}

// TestRealSnapshotReadsPages lists more objects than a page has.
func TestRealSnapshotReadsPages(t *testing.T) {
	r := onRealCluster(t)
	const many = 1203
	client := r.Core.CoreV1().Services(r.Namespace)
	for i := range many {
		_, err := client.Create(r.Ctx, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "s" + strconv.Itoa(i)},
			Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Port: 80}}},
		}, metav1.CreateOptions{})
		watchtest.Must(t, err)
	}
	snapshot, err := TakeSnapshot(context.Background(), Options{RESTConfig: r.Config, Kinds: kinds.Core(), Namespaces: []string{r.Namespace}, Log: watchtest.Quiet()})
	watchtest.Must(t, err)
	got := 0
	for _, change := range snapshot.Changes {
		if change.Key.Kind == unit.Service {
			got++
		}
	}
	if got != many {
		t.Errorf("%d Services, want %d", got, many)
	}
}
