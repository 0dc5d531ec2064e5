package companion

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkEffective times single changes on configurations of 1 000 and 10 000 routes with
// five targets each, as a delta and as a full load: from sending the change until new
// connections get six right answers in a row, which are from both workers.
//
//	go test ./e2e/companion -run '^$' -bench Effective -benchtime 1x -timeout 60m
func BenchmarkEffective(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("%d-routes", n), func(b *testing.B) {
			k := start(b, "KONG_STREAM_LISTEN=off")
			ports := startBackends(b, 6).http
			now := many(n, ports)
			started := time.Now()
			k.load(now)
			b.Logf("%d routes: full load in use by all workers after %v, load average %s", n, time.Since(started).Round(time.Millisecond), loadAverage())
			for _, kind := range []string{"target swapped", "route added", "plugin added"} {
				var deltas, fulls []time.Duration
				k.awaitBalancers()
				for i := range 30 {
					next, w := changed(kind, now, ports, i)
					d := difference(now, next)
					deltas = append(deltas, k.timed(w, func() {
						if code, answer := k.send(d, ""); code != http.StatusOK {
							b.Fatalf("%d %+v", code, answer)
						}
					}))
					now = next
				}
				for i := 100; i < 103; i++ {
					next, w := changed(kind, now, ports, i)
					body := next.body()
					fulls = append(fulls, k.timed(w, func() {
						if code, message := k.post(body); code != http.StatusCreated {
							b.Fatalf("%d %.300s", code, message)
						}
					}))
					now = next
					k.Eventually("the full load", func() bool { return k.status().Ready })
					k.awaitBalancers()
				}
				slices.Sort(deltas)
				slices.Sort(fulls)
				b.Logf("%d routes, %s: delta p50 %v p90 %v max %v, full load p50 %v max %v", n, kind, round(deltas[len(deltas)/2]),
					round(deltas[len(deltas)*9/10]), round(deltas[len(deltas)-1]), round(fulls[1]), round(fulls[2]))
				name := strings.ReplaceAll(kind, " ", "-")
				b.ReportMetric(float64(deltas[len(deltas)/2].Microseconds())/1000, name+"-delta-ms")
				b.ReportMetric(float64(fulls[1].Microseconds())/1000, name+"-full-ms")
			}
		})
	}
}

// awaitBalancers waits until Kong has created the balancers after a full load.
func (k *kong) awaitBalancers() {
	k.t.Helper()
	quick := 0
	k.Eventually("an end of the full load", func() bool {
		started := time.Now()
		k.status()
		if quick++; time.Since(started) > 25*time.Millisecond {
			quick = 0
		}
		return quick > 100
	})
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func loadAverage() string {
	content, _ := os.ReadFile("/proc/loadavg")
	return strings.TrimSpace(string(content))
}

// timed returns the time from the start of a change until it is effective.
func (k *kong) timed(w want, change func()) time.Duration {
	k.t.Helper()
	started := time.Now()
	change()
	for right, first := 0, started; right < 6; {
		wrong, _ := k.try(w)
		if right++; wrong != "" {
			right = 0
		}
		if right == 1 {
			first = time.Now()
		}
		if time.Since(first) > 3*time.Minute {
			k.t.Fatalf("%+v: %s", w, wrong)
		}
	}
	return time.Since(started)
}

// many returns a configuration of n routes, each with its own service, upstream and five
// targets, of which one answers.
func many(n int, ports []int) config {
	c := empty()
	for i := range n {
		c.put("upstreams", entity{"id": id("u", i), "name": fmt.Sprintf("up%d.test", i)})
		for j := range 5 {
			c.put("targets", target(i, j, ports[j]))
		}
		c.put("services", entity{"id": id("s", i), "name": fmt.Sprint("s", i), "host": fmt.Sprintf("up%d.test", i), "port": 80})
		c.put("routes", route(i, fmt.Sprint("r", i)))
	}
	return c
}

func target(upstream, number, port int) entity {
	return entity{"id": id("t", upstream, "-", number), "upstream": id("u", upstream), "target": fmt.Sprintf("127.0.0.1:%d", port)}
}

func route(service int, name string) entity {
	return entity{"id": id(name), "name": name, "service": id("s", service), "protocols": []string{"http"}, "priority": 10,
		"expression": fmt.Sprintf(`(http.host == "%s.test") && (http.path ^= "/")`, name)}
}

// changed returns the configuration after a change, and the answer that shows the change.
func changed(kind string, c config, ports []int, i int) (config, want) {
	c = c.clone()
	w := want{host: "r7.test", path: "/", code: http.StatusOK, from: ports}
	switch kind {
	case "target swapped":
		// the only target of an upstream changes, so each answer tells
		for j := range 5 {
			c.remove("targets", id("t", 7, "-", j))
		}
		c.put("targets", target(7, 0, ports[i%2]))
		w.from = []int{ports[i%2]}
	case "route added":
		name := fmt.Sprint("new", i)
		c.put("routes", route(3, name))
		w.host = name + ".test"
	case "plugin added":
		w.host, w.added = fmt.Sprintf("r%d.test", 100+i), "yes"
		c.put("plugins", entity{"id": id("p", i), "name": "response-transformer", "route": id(fmt.Sprint("r", 100+i)),
			"config": entity{"add": entity{"headers": []string{"X-Added:yes"}}}})
	}
	return c, w
}
