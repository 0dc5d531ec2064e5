package datapath

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/route"
)

func TestQuota(t *testing.T) {
	q := newQuota(10)
	for i, step := range []struct {
		namespace string
		n         int64
		want      bool
	}{
		{"a", 5, true}, {"a", 1, false}, {"b", 4, true}, {"c", 2, false}, {"c", 1, true}, {"b", 1, false},
	} {
		if got := q.take(step.namespace, step.n); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	q.release("a", 5)
	if !q.take("b", 1) || q.take("b", 1) || len(q.by) != 2 {
		t.Errorf("after a part was given back: %+v", q.by)
	}
}

// stuck starts a relay whose rules retry, and an endpoint that reads a request and does not answer
// it until letGo is called. The relay keeps the bodies of these requests.
func stuck(t *testing.T, memory int64, rules ...route.Relay) (s *serving, arrived chan struct{}, letGo func()) {
	arrived, held := make(chan struct{}, 100), make(chan struct{})
	target := endpoint(t, func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		arrived <- struct{}{}
		<-held
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	for i := range rules {
		rules[i].Backends, rules[i].Retry = to(target), &route.Retry{Codes: []int{503}, Attempts: 1}
	}
	s = running(t, Options{Addresses: address.Policy{AllowOwnHost: true}, Memory: memory}, rules...)
	return s, arrived, func() { close(held) }
}

// The memory for bodies is limited over all requests, and one namespace leaves half of it to
// others. If there is no memory for a body, its request is sent once.
func TestKeptBodiesAreBounded(t *testing.T) {
	const size = 32 << 10
	s, arrived, letGo := stuck(t, 4*size, route.Relay{Name: "x", Namespace: "attacker", Key: "x"}, route.Relay{Name: "y", Namespace: "shop", Key: "y"})
	status := make(chan int, 100)
	send := func(key string) {
		go func() {
			code, _ := s.ask(s.request(key, "POST", "/", strings.NewReader(strings.Repeat("x", size))))
			status <- code
		}()
		select {
		case <-arrived:
		case <-time.After(3 * time.Minute):
			t.Error("a request is held up because others are kept")
		}
	}
	for range 20 {
		send("x")
	}
	s.memory.mu.Lock()
	taken := s.memory.taken
	s.memory.mu.Unlock()
	if taken == 0 || taken > 2*size {
		t.Errorf("one namespace keeps %d bytes, and may keep %d", taken, 2*size)
	}
	send("y")
	s.memory.mu.Lock()
	victim := s.memory.by["shop"]
	s.memory.mu.Unlock()
	if victim != size {
		t.Errorf("of the other namespace's body %d bytes are kept, not %d", victim, size)
	}
	letGo()
	for range 21 {
		if code := <-status; code != http.StatusServiceUnavailable {
			t.Error(code)
		}
	}
	none(t, "requests are under way", func() float64 { return testutil.ToFloat64(s.inFlight) })
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if s.memory.taken != 0 || len(s.memory.by) != 0 {
		t.Errorf("afterwards %d bytes are taken: %v", s.memory.taken, s.memory.by)
	}
}

// A copy keeps the memory of its body until it is done.
func TestCopiesGiveMemoryBack(t *testing.T) {
	held := make(chan struct{})
	shadow := endpoint(t, func(_ http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		<-held
	})
	s := running(t, near, route.Relay{Name: "r", Namespace: "shop", Key: "k", Backends: to(endpoint(t, readFirst(names("a")))), Mirrors: []route.Mirror{mirrorTo(shadow, 1, 1)}})
	if status, _ := s.ask(s.request("k", "POST", "/", strings.NewReader("hello"))); status != 200 {
		t.Fatal(status)
	}
	taken := func() float64 {
		s.memory.mu.Lock()
		defer s.memory.mu.Unlock()
		return float64(s.memory.taken)
	}
	if got := settled(taken, 5); got != 5 {
		t.Errorf("while the copy is under way %v bytes are taken", got)
	}
	close(held)
	none(t, "bytes are taken", taken)
}

// none waits until a number is 0.
func none(t *testing.T, what string, read func() float64) {
	t.Helper()
	eventually.True(t, time.Minute, "no "+what, func() bool { return read() == 0 })
}

// The slow mirrors of one namespace do not use up the copies of another one.
func TestCopiesOfNamespaces(t *testing.T) {
	s := running(t, near)
	for range maxCopies {
		s.copies.take("attacker", 1)
	}
	shadow, seen := seeing(t)
	s.Add(entities(
		route.Relay{Name: "x", Namespace: "attacker", Key: "x", Backends: to(endpoint(t, names("a"))), Mirrors: []route.Mirror{mirrorTo(shadow, 1, 1)}},
		route.Relay{Name: "y", Namespace: "shop", Key: "y", Backends: to(endpoint(t, names("a"))), Mirrors: []route.Mirror{mirrorTo(shadow, 1, 1)}}))
	s.ask(s.request("x", "GET", "/attacker", nil))
	s.ask(s.request("y", "GET", "/shop", nil))
	want(t, seen, `GET shop.example/shop  ""`)
	if got := settled(func() float64 { return testutil.ToFloat64(s.drops.WithLabelValues("busy")) }, 1); got != 1 {
		t.Errorf("%v copies are dropped, want 1", got)
	}
}
