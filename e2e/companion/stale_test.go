package companion

import (
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// holdsNames is the code of a route that holds Kong's lock for the list of upstreams longer than
// Kong waits for it. On a busy machine with thousands of upstreams, another worker that reads the
// list holds it as long.
const holdsNames = `
ngx.shared.kong_locks:set("lua-resty-mlcache:lock:kong_core_db_cachebalancer:upstreams", true, 14)
kong.response.exit(200, "", { ["X-Worker"] = ngx.worker.id() })`

// swapping returns a configuration in which each upstream has one target.
func swapping(n, port int) config {
	c := empty()
	for i := range n {
		c.put("upstreams", entity{"id": id("u", i), "name": fmt.Sprintf("up%d.test", i)})
		c.put("targets", target(i, port, port))
		c.put("services", entity{"id": id("s", i), "name": fmt.Sprint("s", i), "host": fmt.Sprintf("up%d.test", i), "port": 80})
		c.put("routes", route(i, fmt.Sprint("r", i)))
	}
	c.put("routes", entity{"id": id("hold"), "name": "hold", "protocols": []string{"http"}, "expression": `http.path == "/hold"`})
	c.put("plugins", entity{"id": id("hold"), "name": "pre-function", "route": id("hold"), "config": entity{"access": []string{holdsNames}}})
	return c
}

// stale returns how many answers are not from a port, and how many there were.
func (k *kong) stale(n, port int) (stale, asked int) {
	for i := range n {
		for range 4 {
			wrong, _ := k.try(want{host: fmt.Sprintf("r%d.test", i), path: "/", code: http.StatusOK, from: []int{port}})
			if asked++; wrong != "" {
				k.t.Logf("answer %d of r%d: %s", asked, i, wrong)
				stale++
			}
		}
	}
	return stale, asked
}

// TestAFullLoadThatKongTakesOverInHalf makes Kong fail to list its upstreams during a full load.
// Without the companion, Kong then keeps its old balancers for good and does not report it.
func TestAFullLoadThatKongTakesOverInHalf(t *testing.T) {
	for name, settings := range map[string][]string{
		"Kong alone":         {"KONG_PLUGINS=bundled", "KONG_STREAM_LISTEN=off"},
		"with the companion": {"KONG_STREAM_LISTEN=off"},
	} {
		t.Run(name, func(t *testing.T) {
			alone := len(settings) == 2
			k := start(t, settings...)
			const n = 20
			ports := startBackends(t, 2).http
			load := func(port int) {
				t.Helper()
				if code, message := k.post(swapping(n, port).body()); code != http.StatusCreated {
					t.Fatalf("%d %s", code, message)
				}
			}
			load(ports[0])
			k.Eventually("the first configuration", func() bool { stale, _ := k.stale(n, ports[0]); return stale == 0 })

			k.try(want{path: "/hold", code: http.StatusOK})
			load(ports[1])
			if alone {
				time.Sleep(25 * time.Second)
				stale, asked := k.stale(n, ports[1])
				t.Logf("25 s after a full load %d of %d answers of Kong alone are stale", stale, asked)
				return
			}
			k.Eventually("the second configuration in all workers", func() bool { return k.status().Ready })
			time.Sleep(15 * time.Second) // the lock's
			if stale, asked := k.stale(n, ports[1]); stale > 0 {
				t.Errorf("%d of %d answers are stale\nstatus %+v", stale, asked, k.status())
			}
			next := swapping(n, ports[1])
			next.put("routes", route(3, "another"))
			k.apply(difference(swapping(n, ports[1]), next))
			k.answers(want{host: "another.test", path: "/", code: http.StatusOK, from: ports[1:]})
		})
	}
}

// TestFullLoadsOfManyRoutesReachEveryWorker sends several full loads of 5 000 routes, with requests all
// the time. When all workers report a full load, they use it.
func TestFullLoadsOfManyRoutesReachEveryWorker(t *testing.T) {
	k := start(t, "KONG_STREAM_LISTEN=off")
	n, loads := 5000, 4
	if os.Getenv("COMPANION_LOADS") != "" {
		_, _ = fmt.Sscan(os.Getenv("COMPANION_LOADS"), &loads)
	}
	ports := startBackends(t, 2).http
	bodies := [][]byte{swapping(n, ports[0]).body(), swapping(n, ports[1]).body()}
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	var asked, failed atomic.Int64
	go func() {
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			case <-time.After(5 * time.Millisecond):
				wrong, _ := k.try(want{host: fmt.Sprintf("r%d.test", i*7%n), path: "/", code: http.StatusOK, from: ports})
				if asked.Add(1); wrong != "" {
					failed.Add(1)
				}
			}
		}
	}()
	for i := range loads {
		started := time.Now()
		if code, message := k.post(bodies[i%2]); code != http.StatusCreated {
			t.Fatalf("%d %.300s", code, message)
		}
		answered := time.Since(started)
		k.Eventually("the full load in all workers", func() bool { return k.status().Ready })
		t.Logf("full load %d: answered after %v, said to be in all workers after %v", i, answered.Round(time.Millisecond), time.Since(started).Round(time.Millisecond))
		t.Logf("of %d requests meanwhile %d failed", asked.Swap(0), failed.Swap(0))
		if stale, asked := k.stale(100, ports[i%2]); stale > 0 {
			t.Fatalf("%d of %d answers are stale\nstatus %+v\n%s", stale, asked, k.status(), k.Complaints())
		}
	}
}
