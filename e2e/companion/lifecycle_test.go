package companion

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
)

// TestRestarts sends deltas before, between and after restarts, reloads and the loss of a worker.
// Applied deltas are kept, and later ones reach the new workers.
func TestRestarts(t *testing.T) {
	k := start(t)
	w := newWorld(t, k, startBackends(t, 5))
	now := w.config()
	k.load(now)
	step := 0
	change := func() {
		t.Helper()
		step++
		name := fmt.Sprint("app", step)
		w.apps[name] = app{weights: map[int]int{step % 5: 10}, algorithm: "round-robin", added: name}
		w.streams[step%2] = name
		if previous, ok := w.apps[fmt.Sprint("app", step-1)]; ok {
			previous.weights = map[int]int{(step + 1) % 5: 10}
			w.apps[fmt.Sprint("app", step-1)] = previous
		}
		k.apply(difference(now, w.config()))
		now = w.config()
	}
	check := func() {
		t.Helper()
		for name := range w.apps {
			for _, want := range w.wants(name) {
				k.answers(want)
			}
		}
		for i, port := range w.ports {
			k.leads(port, w.streamBackends(i))
		}
	}
	awaitEffective := func(what string) {
		t.Helper()
		k.Eventually(what, func() bool {
			s := k.status()
			return s.Ready && s.Hash == now.hash()
		})
	}
	change()
	check()

	k.Stop()
	k.Start()
	awaitEffective("the configuration of before the restart")
	check()
	change()
	check()

	before := k.Workers()
	k.Reload()
	// some changes are sent while both old and new workers run
	for range 5 {
		change()
	}
	k.Eventually("new workers after a reload", func() bool {
		for _, pid := range k.Workers() {
			if before[0] == pid || before[1] == pid {
				return false
			}
		}
		return len(k.Workers()) == workers
	})
	awaitEffective("the configuration after the reload")
	check()
	change()
	check()

	worker := k.Workers()[1]
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.Eventually("a worker in place of the lost one", func() bool {
		found := k.Workers()
		return len(found) == workers && found[0] != worker && found[1] != worker
	})
	change()
	awaitEffective("the configuration after the loss of a worker")
	check()

	deltas := k.stored()
	k.load(now)
	sameStored(t, deltas, k.stored())
}

// TestSimultaneousChanges sends many deltas with the same base, and full loads at the same time. One at
// a time is applied, and the others are rejected.
func TestSimultaneousChanges(t *testing.T) {
	k := start(t)
	now := empty()
	k.load(now)
	codes := make(chan int, 64)
	var all sync.WaitGroup
	for i := range 16 {
		next := now.clone()
		next.put("services", entity{"id": id(i), "name": fmt.Sprint("s", i), "host": "x.test"})
		d := difference(now, next)
		all.Go(func() {
			code, _ := k.send(d, "")
			codes <- code
		})
	}
	all.Wait()
	close(codes)
	applied := 0
	for code := range codes {
		switch code {
		case http.StatusOK:
			applied++
		case http.StatusConflict, http.StatusTooManyRequests:
		default:
			t.Errorf("answered %d", code)
		}
	}
	if applied != 1 {
		t.Errorf("%d of 16 deltas from one base were applied", applied)
	}
	if stored := k.stored(); len(stored["services"]) != 1 {
		t.Errorf("stored: %v", stored["services"])
	}
	k.Eventually("that one in all workers", func() bool { return k.status().Ready })
}

// TestLargeDelta adds and removes three thousand entities of each kind in one delta.
func TestLargeDelta(t *testing.T) {
	k := start(t)
	b := startBackends(t, 1)
	k.load(empty())
	many := empty()
	for i := range 3000 {
		many.put("upstreams", entity{"id": id("u", i), "name": fmt.Sprintf("up%d.test", i)})
		many.put("targets", entity{"id": id("t", i), "upstream": id("u", i), "target": fmt.Sprintf("127.0.0.1:%d", b.http[0])})
		many.put("services", entity{"id": id("s", i), "name": fmt.Sprint("s", i), "host": fmt.Sprintf("up%d.test", i), "port": 80})
		many.put("routes", entity{"id": id("r", i), "name": fmt.Sprint("r", i), "service": id("s", i), "protocols": []string{"http"},
			"expression": fmt.Sprintf(`http.host == "h%d.test"`, i)})
	}
	k.apply(difference(empty(), many))
	for i := range 30 {
		k.answers(want{host: fmt.Sprintf("h%d.test", i*100), path: "/", code: 200, from: b.http})
	}
	k.apply(difference(many, empty()))
	for i := range 30 {
		k.answers(want{host: fmt.Sprintf("h%d.test", i*100), path: "/", code: 404})
	}
}
