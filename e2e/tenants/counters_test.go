package tenants

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// A dictionary for few counters, so that a small flood fills it.
const fewCounters = "KONG_NGINX_HTTP_LUA_SHARED_DICT=kube_sync_counters 512k"

// identify returns the headers of a client with a number. The identifier has a size in bytes, or is an address.
func identify(client, size int) map[string]string {
	return map[string]string{
		"X-Client":        fmt.Sprintf("%d%s", client, strings.Repeat("x", size)),
		"X-Forwarded-For": fmt.Sprintf("10.%d.%d.%d", client>>16&255, client>>8&255, client&255),
	}
}

// flood sends requests for a host as a number of clients, whose identifiers have a size in bytes.
func (s *scene) flood(host string, clients, size int) {
	s.t.Helper()
	const together = 8
	client := &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: together}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for first := range together {
		all.Go(func() {
			for i := 1 + first; i <= clients; i += together {
				request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.Proxy+"/", nil)
				if err != nil {
					s.t.Error(err)
					return
				}
				request.Host = host
				for name, value := range identify(i, size) {
					request.Header.Set(name, value)
				}
				response, err := client.Do(request)
				if err != nil {
					s.t.Error(err)
					return
				}
				_ = response.Body.Close()
			}
		})
	}
	all.Wait()
}

// complain fails if Kong's log has errors about counters.
func (s *scene) complain() {
	s.t.Helper()
	for line := range strings.Lines(s.ReadLog()) {
		if strings.Contains(line, "could not increment counter") || strings.Contains(line, "failed to get usage") {
			s.t.Errorf("%.500s", line)
		}
	}
}

// limiters are configurations that permit a client two requests a year. The backend tells response-ratelimiting what
// to count.
var limiters = map[string]string{
	"rate-limiting":         "{year: 2, policy: local, limit_by: header, header_name: X-Client}",
	"response-ratelimiting": "{limits: {asked: {year: 2}}, policy: local, limit_by: ip, block_on_first_violation: true}",
}

// A client that has used up its limit for a year is still refused while another namespace's requests have more
// identifiers than fit into memory, whether long or many. The plugin is the namespace's own, or the operator's on a
// route.
func TestCountersAreKept(t *testing.T) {
	for limiter, limit := range limiters {
		t.Run(limiter, func(t *testing.T) {
			s := newScene(t, translate.Options{}, fewCounters, "KONG_TRUSTED_IPS=127.0.0.1", "KONG_REAL_IP_HEADER=X-Forwarded-For")
			manifests := `
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: operators, annotations: {kubernetes.io/ingress.class: kong}}
plugin: ` + limiter + "\nconfig: " + limit + "\n---\n"
			for _, namespace := range []string{"shop", "attacker"} {
				manifests += s.web(namespace, "own", "own."+namespace, "konghq.com/plugins: limit") + plugin(namespace, "limit", limiter, limit) +
					s.web(namespace, "operated", "operated."+namespace, "konghq.com/plugins: operators")
			}
			s.apply(manifests)
			client := identify(0, 0)
			for range 2 {
				for _, host := range []string{"own.shop", "operated.shop"} {
					if a, err := s.ask(request{host: host, header: client}); err != nil || a.status != http.StatusOK {
						t.Fatalf("%s: %d, %v", host, a.status, err)
					}
				}
				time.Sleep(200 * time.Millisecond) // Kong counts after it has answered
			}
			for size, clients := range map[int]int{7000: 1000, 10: 3000} {
				s.flood("own.attacker", clients, size)
				s.flood("operated.attacker", clients, size)
				for _, host := range []string{"own.shop", "operated.shop"} {
					s.want(request{host: host, header: client}, http.StatusTooManyRequests)
				}
			}
			s.complain()
		})
	}
}

// A plugin of a consumer counts only for its namespace. Kong alone counts a client together with those of all consumers,
// whose plugins may identify clients by a header if the operator permits that.
func TestConsumersCountForThemselves(t *testing.T) {
	s := newScene(t, translate.Options{Tenancy: tenancy.Options{ConsumersEverywhere: true}})
	manifests := ""
	for namespace, limit := range map[string]string{
		"shop": "{year: 2, policy: local, limit_by: ip}", "attacker": "{year: 1000, policy: local, limit_by: header, header_name: X-Client}",
	} {
		manifests += s.web(namespace, "web", namespace+".example", "konghq.com/plugins: auth") + plugin(namespace, "auth", "key-auth", "{}") +
			plugin(namespace, "limit", "rate-limiting", limit) + consumer(namespace, "of-"+namespace, "limit")
	}
	s.apply(manifests)
	attacking := by("of-attacker")
	attacking["X-Client"] = "127.0.0.1"
	s.want(request{host: "attacker.example", header: attacking}, http.StatusOK)
	client := request{host: "shop.example", header: by("of-shop")}
	for range 2 {
		time.Sleep(200 * time.Millisecond)
		if a, err := s.ask(client); err != nil || a.status != http.StatusOK {
			t.Fatalf("%d, %v", a.status, err)
		}
	}
	s.await(client, http.StatusTooManyRequests) // Kong counts after it has answered
}
