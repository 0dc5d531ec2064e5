package attacks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// roomForCounters is a dictionary for about 5 000 counters of rate limits, so that a small flood fills it.
const roomForCounters = "kube_sync_counters 1m"

// counters are attacks by requests that the attacker's rate limits count. The victim's limit for a year is
// used up, and has to stay so.
func counters() []attack {
	limited := func(kind, config string) string {
		return plugin(attacker, "flood", kind, config) + ingress(attacker, "flood", "flood.attacker.test", "/", "web", "plugins=flood")
	}
	byHeader := limited("rate-limiting", `{"year": 1000000, "minute": 1000000, "policy": "local", "limit_by": "header", "header_name": "X-Client"}`)
	return []attack{
		{name: "a rate limit with identifiers that are long", steps: []string{byHeader}, requests: flood(1000, 7000)},
		{name: "a rate limit with identifiers that are many", steps: []string{byHeader}, requests: flood(6000, 8)},
	}
}

// flood sends requests of a number of clients, whose identifiers have a size in bytes.
func flood(clients, size int) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		const together = 4
		client := http.Client{Timeout: answersWithin, Transport: &http.Transport{
			MaxIdleConnsPerHost: together,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, w.HTTP)
			},
		}}
		defer client.CloseIdleConnections()
		var all sync.WaitGroup
		for first := range together {
			all.Go(func() {
				for i := first; i < clients; i += together {
					request, err := http.NewRequest(http.MethodGet, "http://flood.attacker.test/", nil)
					if err != nil {
						t.Error(err)
						return
					}
					request.Header.Set("X-Client", fmt.Sprintf("%d-%s", i, strings.Repeat("x", size)))
					response, err := client.Do(request)
					if err != nil {
						t.Error(err)
						return
					}
					_ = response.Body.Close()
					if response.StatusCode != http.StatusOK {
						t.Errorf("a client is answered %s", response.Status)
						return
					}
				}
			})
		}
		all.Wait()
	}
}
