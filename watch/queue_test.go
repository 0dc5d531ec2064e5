package watch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func service(version int) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{ResourceVersion: strconv.Itoa(version)}}
}

func TestQueueKeepsTheLatest(t *testing.T) {
	q, key := NewQueue(), unit.Key{Kind: unit.Service, Name: "a"}
	before := time.Now()
	q.Put(key, service(1))
	between := time.Now()
	q.Put(key, service(2))
	<-q.Pending()
	batch := q.Take()
	if len(batch.Changes) != 1 || batch.Changes[0].Object.GetResourceVersion() != "2" {
		t.Errorf("changes %v", batch.Changes)
	}
	if batch.Since.Before(before) || batch.Since.After(between) {
		t.Errorf("since %v, want the first arrival", batch.Since)
	}
	if again := q.Take(); len(again.Changes) != 0 || !again.Since.IsZero() {
		t.Errorf("delivered twice: %v", again)
	}
	select {
	case <-q.Pending():
		t.Error("pending with nothing to take")
	default:
	}
}

func TestQueueOrdersByKey(t *testing.T) {
	q := NewQueue()
	for i := range 50 {
		q.Put(unit.Key{Kind: unit.Service, Name: strconv.Itoa(i)}, nil)
	}
	if changes := q.Take().Changes; !slices.IsSortedFunc(changes, func(a, b unit.Change) int { return a.Key.Compare(b.Key) }) {
		t.Errorf("out of order: %v", changes)
	}
}

func TestQueueIsCompleteOnceAllArrived(t *testing.T) {
	q := NewQueue()
	q.Expect("a")
	q.Expect("b")
	q.Arrived("a")
	if q.Take().Complete {
		t.Error("complete without b")
	}
	q.Arrived("b")
	<-q.Pending() // a batch may be complete and have no changes
	if !q.Take().Complete {
		t.Error("not complete")
	}
	q.Arrived("b")
	select {
	case <-q.Pending():
		t.Error("signaled for nothing")
	default:
	}
}

// With any order of puts the consumer ends with the last state of each object, never sees an
// older version after a newer one, and never waits while there is something to take.
func TestQueueUnderConcurrency(t *testing.T) {
	const producers, keys, rounds = 8, 20, 2000
	q := NewQueue()
	var wg sync.WaitGroup
	for p := range producers {
		q.Expect(p)
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(p), 1))
			for version := 1; version <= rounds; version++ {
				q.Put(unit.Key{Name: fmt.Sprint(p, random.IntN(keys))}, service(version))
			}
			for k := range keys {
				q.Put(unit.Key{Name: fmt.Sprint(p, k)}, service(rounds+1))
			}
			q.Arrived(p)
		})
	}
	seen := map[unit.Key]int{}
	for complete := false; !complete; {
		<-q.Pending()
		batch := q.Take()
		for _, change := range batch.Changes {
			version, _ := strconv.Atoi(change.Object.GetResourceVersion())
			if version <= seen[change.Key] {
				t.Fatalf("%v: version %d after %d", change.Key, version, seen[change.Key])
			}
			seen[change.Key] = version
		}
		complete = batch.Complete
	}
	wg.Wait()
	if len(seen) != producers*keys {
		t.Errorf("%d objects, want %d", len(seen), producers*keys)
	}
	for key, version := range seen {
		if version != rounds+1 {
			t.Errorf("%v ends at version %d", key, version)
		}
	}
}
