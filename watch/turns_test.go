package watch

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// storm is how many objects of one namespace want something at once.
const storm = 10_000

func TestNamespacesTakeTurns(t *testing.T) {
	q := newTurns()
	var pushed int
	push := func(names ...string) {
		for _, name := range names {
			namespace, name, _ := strings.Cut(name, "/")
			q.Push(unit.Key{Namespace: namespace, Name: name})
			pushed++
		}
	}
	push("a/1", "a/2", "a/3", "/1", "b/1", "a/4", "b/2")
	var popped []string
	pop := func(n int) {
		for range n {
			key := q.Pop()
			popped = append(popped, key.Namespace+"/"+key.Name)
		}
	}
	pop(4)
	push("c/1", "b/3")
	pop(pushed - len(popped))
	want := []string{"a/1", "/1", "b/1", "a/2", "b/2", "a/3", "c/1", "b/3", "a/4"}
	if !slices.Equal(popped, want) || q.Len() != 0 || len(q.keys) != 0 || len(q.order) != 0 {
		t.Errorf("popped %v, %d left; want %v", popped, q.Len(), want)
	}
}

// stormOf is an Ingress of each name in a namespace.
func stormOf(namespace string, names int) (objects []runtime.Object, keys []unit.Key) {
	for i := range names {
		object := ingress(fmt.Sprintf("i%05d", i))
		object.Namespace = namespace
		objects = append(objects, object)
		keys = append(keys, unit.Key{Kind: unit.Ingress, Namespace: namespace, Name: object.Name})
	}
	return objects, keys
}

// order remembers the namespaces of what was written, and holds back what is written
// until it is released.
type order struct {
	release chan struct{}

	mu         sync.Mutex
	namespaces []string
}

func (o *order) note(namespace string) {
	o.mu.Lock()
	o.namespaces = append(o.namespaces, namespace)
	o.mu.Unlock()
	<-o.release
}

// before is how many writes came before the first of a namespace, and whether there was one.
func (o *order) before(namespace string) (int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := slices.Index(o.namespaces, namespace)
	return at, at >= 0
}

func (o *order) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.namespaces)
}

func TestAStormOfStatusesDelaysNoOtherNamespace(t *testing.T) {
	objects, keys := stormOf("attacker", storm)
	f := newFakes(append(objects, ingress("web"))...)
	o := &order{release: make(chan struct{})}
	f.core.PrependReactor("patch", "ingresses", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.note(action.GetNamespace())
		return true, &networkingv1.Ingress{}, nil
	})
	w, _ := f.writer(t, WriterOptions{UpdateStatus: true, Addresses: []string{"192.0.2.1"}})
	for _, key := range keys {
		w.Report(Report{Object: key, Programmed: true})
	}
	eventually(t, "the storm is being written", func() bool { return o.count() > 0 })
	w.Report(programmed("web")...)
	close(o.release)
	eventually(t, "the other namespace's status is written", func() bool { _, ok := o.before("shop"); return ok })
	// Those that were under way, and one in its turn.
	if n, _ := o.before("shop"); n > statusWriters+2 {
		t.Errorf("%d statuses of the storm were written before the only one of another namespace", n)
	}
}

func TestAStormOfEventsDelaysNoOtherNamespace(t *testing.T) {
	objects, keys := stormOf("attacker", storm)
	f := newFakes(append(objects, ingress("web"))...)
	o := &order{release: make(chan struct{})}
	close(o.release)
	f.core.PrependReactor("create", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.note(action.GetNamespace())
		return false, nil, nil
	})
	w, _ := f.writer(t, WriterOptions{EmitEvents: true})
	begun := time.Now()
	for _, key := range keys {
		w.Report(Report{Object: key, Verdicts: []unit.Verdict{unit.Warning(key, "BackendNotFound", "no Service a")}})
	}
	eventually(t, "the storm has used up its share", func() bool { return o.count() > namespaceEventBurst })
	w.Report(warnings("web", "no Service b"))
	written, reported := o.count(), time.Now()
	eventually(t, "the other namespace's event is written", func() bool { _, ok := o.before("shop"); return ok })
	// Two that were under way, and what the storm may write in as long as this takes.
	if n, _ := o.before("shop"); n > written+2+int(time.Since(reported).Seconds()*namespaceEventRate) {
		t.Errorf("%d events of the storm were written, of which %d before the report, before the only one of another namespace", n, written)
	}
	// One more tells how many are left out.
	most := namespaceEventBurst + 2 + int(time.Since(begun).Seconds()+1)*namespaceEventRate
	if n := o.count() - 1; n > most {
		t.Errorf("%d events of one namespace, want %d at most", n, most)
	}
	eventually(t, "the storm is summed up", func() bool {
		return slices.ContainsFunc(f.events(t), func(event string) bool {
			return strings.Contains(event, "EventsDelayed") && strings.Contains(event, "more objects of this namespace have faults")
		})
	})
}

// One object with many faults is as much of a storm.
func TestManyFaultsOfOneObjectDelayNoOtherNamespace(t *testing.T) {
	objects, keys := stormOf("attacker", 1)
	f := newFakes(append(objects, ingress("web"))...)
	o := &order{release: make(chan struct{})}
	close(o.release)
	f.core.PrependReactor("*", "events", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.note(action.GetNamespace())
		return false, nil, nil
	})
	w := f.idleWriter(t, WriterOptions{EmitEvents: true})
	r := Report{Object: keys[0]}
	for i := range 500 {
		r.Verdicts = append(r.Verdicts, unit.Warning(keys[0], fmt.Sprintf("Reason%d", i), "x"))
	}
	w.Report(r, warnings("web", "no Service b"))
	running(t, w.Run)
	eventually(t, "the other namespace's event is written", func() bool { _, ok := o.before("shop"); return ok })
	if n, _ := o.before("shop"); n > 2 {
		t.Errorf("%d events of one object were written before the only one of another namespace", n)
	}
}

// A Secret that a namespace changes is fetched whatever others want.
func TestAStormOfSecretsDelaysNoOtherNamespace(t *testing.T) {
	f := newFakes()
	f.secret(t, "tls", "1", "one")
	const wanted = 2_000 // each is made in two fakes
	keys := []unit.Key{}
	for i := range wanted {
		meta := metav1.ObjectMeta{Namespace: "attacker", Name: fmt.Sprintf("s%05d", i), ResourceVersion: "1"}
		must(t, f.core.Tracker().Create(secrets, &corev1.Secret{ObjectMeta: meta}, meta.Namespace))
		must(t, f.metadata.Tracker().Create(secrets, &metav1.PartialObjectMetadata{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: meta}, meta.Namespace))
		keys = append(keys, unit.Key{Kind: unit.Secret, Namespace: meta.Namespace, Name: meta.Name})
	}
	o := &order{release: make(chan struct{})}
	f.core.PrependReactor("get", "secrets", func(action clienttesting.Action) (bool, runtime.Object, error) {
		o.note(action.GetNamespace())
		return false, nil, nil
	})
	c, got := f.cluster(t, ClusterOptions{})
	got.until("complete", got.isComplete)
	c.Want(keys)
	eventually(t, "the storm is being fetched", func() bool { return o.count() > 0 })
	c.Want(append(keys, secretKey("tls")))
	close(o.release)
	got.until("the other namespace's Secret", func() bool { return got.value(secretKey("tls")) == "one" })
	if n, _ := o.before("shop"); n > fetchers+2 {
		t.Errorf("%d Secrets of the storm were fetched before the only one of another namespace", n)
	}
}

func TestABacklogForgetsIdleNamespaces(t *testing.T) {
	b, now := newEventBacklog(), time.Unix(1_000_000, 0)
	b.now = func() time.Time { return now }
	for i := range 3 * namespaceEventBurst {
		b.push(unit.Key{Namespace: "a", Name: fmt.Sprint(i)})
	}
	told := 0
	for {
		key, _, ok := b.first()
		if !ok {
			break
		}
		b.drop(key)
		if b.written(key.Namespace) > 0 {
			told++
		}
	}
	if _, wait, _ := b.first(); wait <= 0 || wait > time.Second/namespaceEventRate || told != 1 {
		t.Errorf("wait %v; told %d times, want once", wait, told)
	}
	b.trim()
	if len(b.namespaces) != 1 {
		t.Error("a namespace that waits is forgotten")
	}
	for now = now.Add(time.Hour); ; {
		key, _, ok := b.first()
		if !ok {
			if len(b.namespaces["a"].keys) == 0 {
				break
			}
			now = now.Add(time.Hour)
			continue
		}
		b.drop(key)
		b.written(key.Namespace)
	}
	now = now.Add(time.Hour)
	if b.trim(); len(b.namespaces) != 0 {
		t.Errorf("%d idle namespaces are remembered", len(b.namespaces))
	}
}
