package datapath

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kube-sync/kube-sync/translate/route"
)

// seeing returns an endpoint that records what it was sent.
func seeing(t *testing.T) (address string, seen chan string) {
	seen = make(chan string, 1000)
	return endpoint(t, func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		seen <- fmt.Sprintf("%s %s%s %s %q", q.Method, q.Host, q.RequestURI, q.Header.Get("X-Set"), body)
	}), seen
}

func mirrorTo(target string, numerator, denominator int) route.Mirror {
	return route.Mirror{Name: "shadow:80", Backend: to(target)[0], Numerator: numerator, Denominator: denominator}
}

func want(t *testing.T, seen chan string, text string) {
	t.Helper()
	select {
	case got := <-seen:
		if got != text {
			t.Errorf("the mirror is sent %s, want %s", got, text)
		}
	case <-time.After(3 * time.Minute):
		t.Errorf("the mirror is sent nothing, want %s", text)
	}
}

// Copies are what the backend is sent, and their answers are discarded.
func TestMirrors(t *testing.T) {
	one, seenByOne := seeing(t)
	two, seenByTwo := seeing(t)
	target := endpoint(t, func(w http.ResponseWriter, q *http.Request) { _, _ = io.Copy(w, q.Body) })
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(target),
		Mirrors: []route.Mirror{mirrorTo(one, 1, 1), mirrorTo(two, 100, 100), mirrorTo(one, 0, 100)}})
	for method, body := range map[string]string{"GET": "", "POST": "hello"} {
		q := s.request("k", method, "/a?b=c", strings.NewReader(body))
		q.Header.Set("X-Set", "d")
		if status, text := s.ask(q); status != 200 || text != body {
			t.Errorf("%d %s", status, text)
		}
		copied := fmt.Sprintf("%s shop.example/a?b=c d %q", method, body)
		want(t, seenByOne, copied)
		want(t, seenByTwo, copied)
	}
	if len(seenByOne)+len(seenByTwo) > 0 {
		t.Error("there are more than two copies of a request")
	}
}

func TestMirroredShare(t *testing.T) {
	shadow, _ := seeing(t)
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(endpoint(t, names("a"))), Mirrors: []route.Mirror{mirrorTo(shadow, 1, 4)}})
	for range 2000 {
		s.ask(s.request("k", "GET", "/", nil))
	}
	made := func() float64 { // which a busy machine may not send all
		return testutil.ToFloat64(s.mirrored.WithLabelValues("sent")) + testutil.ToFloat64(s.drops.WithLabelValues("busy"))
	}
	// Within six standard deviations.
	if copies := settled(made, 380); copies < 380 || copies > 620 {
		t.Errorf("of 2000 requests %v are copied, want a quarter", copies)
	}
}

// settled reads a number until it does not grow any more and is enough.
func settled(read func() float64, enough float64) float64 {
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		before := read()
		time.Sleep(50 * time.Millisecond)
		if now := read(); now == before && now >= enough || time.Now().After(deadline) {
			return now
		}
	}
}

// A mirror that does not answer delays no request. Copies that exceed the limit are counted.
func TestSlowMirrors(t *testing.T) {
	held := make(chan struct{})
	shadow := endpoint(t, func(http.ResponseWriter, *http.Request) { <-held })
	defer close(held)
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(endpoint(t, names("a"))), Mirrors: []route.Mirror{mirrorTo(shadow, 1, 1)}})
	for range maxCopiesEach + 20 {
		if status, _ := s.ask(s.request("k", "GET", "/", nil)); status != 200 {
			t.Fatal(status)
		}
	}
	if got := settled(func() float64 { return testutil.ToFloat64(s.drops.WithLabelValues("busy")) }, 20); got != 20 {
		t.Errorf("%v copies are counted as dropped, want 20", got)
	}
}

func TestCopiesThatAreNotMade(t *testing.T) {
	shadow, seen := seeing(t)
	target := endpoint(t, func(_ http.ResponseWriter, q *http.Request) { _, _ = io.Copy(io.Discard, q.Body) })
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(target), Mirrors: []route.Mirror{mirrorTo(shadow, 1, 1)}})
	if status, _ := s.ask(s.request("k", "POST", "/", strings.NewReader(strings.Repeat("x", maxKept+1)))); status != 200 {
		t.Error(status)
	}
	if got := settled(func() float64 { return testutil.ToFloat64(s.drops.WithLabelValues("body")) }, 1); got != 1 {
		t.Errorf("%v copies are counted as dropped for their body, want 1", got)
	}
	if status, _ := s.ask(s.request("k", "POST", "/", strings.NewReader(strings.Repeat("x", maxKept)))); status != 200 {
		t.Error(status)
	}
	want(t, seen, fmt.Sprintf("POST shop.example/  %q", strings.Repeat("x", maxKept)))
}

// A mirror that is down is counted, and does not affect the request.
func TestMissingMirrors(t *testing.T) {
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(endpoint(t, names("a"))), Mirrors: []route.Mirror{mirrorTo(closed(t), 1, 1)}})
	if status, _ := s.ask(s.request("k", "GET", "/", nil)); status != 200 {
		t.Error(status)
	}
	if got := settled(func() float64 { return testutil.ToFloat64(s.mirrored.WithLabelValues("failed")) }, 1); got != 1 {
		t.Errorf("%v failures are counted", got)
	}
}
