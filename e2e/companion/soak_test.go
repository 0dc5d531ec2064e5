package companion

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
)

// measures is the code of a route that reports the memory of a worker.
const measures = `
collectgarbage() collectgarbage()
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local by_upstream = internals.get("kong.runloop.balancer.balancers", "get_balancer_by_id>balancers_by_id")
local renewals = internals.get("kong.runloop.balancer.targets", "on_target_event>renewal_heap")
local balancers = 0
for _ in pairs(by_upstream) do balancers = balancers + 1 end
kong.response.exit(200, { kilobytes = collectgarbage("count"), balancers = balancers,
  renewals = renewals:size(), timers = ngx.timer.running_count() + ngx.timer.pending_count(),
  journal = #(require("resty.lmdb").get("kube-sync-delta") or "") }, { ["X-Worker"] = ngx.worker.id() })`

type measure struct {
	Kilobytes                            float64
	Balancers, Renewals, Timers, Journal int
}

// measure returns the reports of all workers.
func (k *kong) measure() map[string]measure {
	k.t.Helper()
	found := map[string]measure{}
	for range 400 {
		response, err := fresh.Get(fmt.Sprintf("http://127.0.0.1:%d/measure", k.proxy))
		if err != nil {
			k.t.Fatal(err)
		}
		content, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		var m measure
		if err := json.Unmarshal(content, &m); err != nil {
			k.t.Fatalf("%v: %.300s", err, content)
		}
		if found[response.Header.Get("X-Worker")] = m; len(found) == workers {
			return found
		}
	}
	k.t.Fatalf("only the workers %v have answered", found)
	return nil
}

// TestNothingGrows replaces upstreams with their targets ten thousand times, and single targets as
// often, some of them while requests use them.
func TestNothingGrows(t *testing.T) {
	replacements := 10000
	if os.Getenv("COMPANION_SOAK") != "" {
		_, _ = fmt.Sscan(os.Getenv("COMPANION_SOAK"), &replacements)
	}
	for name, healthchecks := range map[string]entity{
		"without health checks": {},
		"with health checks":    {"passive": entity{"unhealthy": entity{"http_failures": 5}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t, "KONG_STREAM_LISTEN=off")
			ports := startBackends(t, 5).http
			const batch = 20
			render := func(generation int) config {
				c := empty()
				c.put("routes", entity{"id": id("measure"), "name": "measure", "protocols": []string{"http"}, "expression": `http.path == "/measure"`})
				c.put("plugins", entity{"id": id("measure"), "name": "pre-function", "route": id("measure"), "config": entity{"access": []string{measures}}})
				for i := range batch {
					up := fmt.Sprintf("up%d-%d.test", i, generation)
					c.put("upstreams", entity{"id": id(up), "name": up, "healthchecks": healthchecks})
					c.put("targets", entity{"id": id("t", up), "upstream": id(up), "target": fmt.Sprintf("127.0.0.1:%d", ports[i%5])})
					c.put("services", entity{"id": id("s", i), "name": fmt.Sprint("s", i), "host": up, "port": 80})
					c.put("routes", route(i, fmt.Sprint("r", i)))
				}
				// an upstream that stays, with targets that do not
				c.put("upstreams", entity{"id": id("stays"), "name": "stays.test", "healthchecks": healthchecks})
				for i := range batch {
					c.put("targets", entity{"id": id("stays", generation, i), "upstream": id("stays"),
						"target": fmt.Sprintf("127.1.%d.%d:80", generation%8, i+1)})
				}
				return c
			}
			now := render(0)
			k.load(now)
			var before map[string]measure
			for generation := 1; generation <= replacements/batch; generation++ {
				next := render(generation)
				k.apply(difference(now, next))
				now = next
				host := fmt.Sprintf("r%d.test", generation%batch)
				if wrong, _ := k.try(want{host: host, path: "/", code: http.StatusOK, from: ports}); wrong != "" {
					t.Fatalf("%s: %s\n%s", host, wrong, k.Complaints())
				}
				if generation == replacements/batch/5 {
					before = k.measure()
				}
			}

			k.Eventually("workers that have not grown", func() bool { // what is under way may take more
				after := k.measure()
				t.Logf("after %d replacements %+v, after %d %+v", replacements/5, before, replacements, after)
				for worker, m := range after {
					b := before[worker]
					if m.Kilobytes > 1.05*b.Kilobytes || m.Balancers != batch+1 || m.Renewals > b.Renewals || m.Timers > b.Timers+10 || m.Journal > b.Journal+100 {
						return false
					}
				}
				return true
			})
		})
	}
}
