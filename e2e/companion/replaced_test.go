package companion

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAReplacedRouteAlwaysAnswers moves a path from one route to another and back, while there are thousands of
// other plugins. Each route has its own plugin and upstream. Every request gets a route, its plugin and a backend.
func TestAReplacedRouteAlwaysAnswers(t *testing.T) {
	k := start(t, noStreams)
	ports := startBackends(t, 2).http
	const others = 3000
	rest := empty()
	for i := range others {
		name := fmt.Sprint("other", i)
		rest.put("routes", entity{"id": id(name), "name": name, "protocols": []string{"http"}, "expression": fmt.Sprintf(`http.host == "%s.test"`, name)})
		rest.put("plugins", entity{"id": id(name, "-plugin"), "name": "request-termination", "route": id(name)})
	}
	sides := []config{rest.clone(), rest.clone()}
	for i, side := range sides {
		side["routes"], side["plugins"] = side.clone()["routes"], side.clone()["plugins"]
		name := fmt.Sprint("side", i)
		side.put("upstreams", entity{"id": id("u", i), "name": fmt.Sprintf("up%d.test", i)})
		side.put("targets", target(i, 0, ports[i]))
		side.put("services", entity{"id": id("s", i), "name": fmt.Sprint("s", i), "host": fmt.Sprintf("up%d.test", i), "port": 80})
		r := route(i, name)
		r["expression"] = `http.host == "side.test"`
		side.put("routes", r)
		side.put("plugins", entity{"id": id(name, "-plugin"), "name": "response-transformer", "route": id(name),
			"config": entity{"add": entity{"headers": []string{"X-Added:yes"}}}})
	}
	k.load(sides[0])

	var asked, failed atomic.Int64
	var first sync.Once
	ended := make(chan struct{})
	var asking sync.WaitGroup
	for range 3 {
		asking.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				asked.Add(1)
				if wrong, _ := k.try(want{host: "side.test", path: "/", code: http.StatusOK, from: ports, added: "yes"}); wrong != "" {
					failed.Add(1)
					first.Do(func() { t.Log(wrong) })
				}
			}
		})
	}
	for i := range 30 {
		k.apply(difference(sides[i%2], sides[(i+1)%2]))
	}
	close(ended)
	asking.Wait()
	t.Logf("%d of %d requests failed", failed.Load(), asked.Load())
	if failed.Load() > 0 {
		t.Fatalf("%s", k.Complaints())
	}
}
