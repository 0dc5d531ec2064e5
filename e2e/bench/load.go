package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// mostOpen bounds the open requests of the load. A request beyond it counts as failed.
const mostOpen = 4000

// Load has the results of a steady stream of requests.
type Load struct {
	Rate     int
	Requests int
	Errors   int
	Examples []string `json:",omitempty"` // of errors
	Latency  Quantiles
}

// load sends requests at a fixed rate, whether or not earlier ones are answered: half of them to the churned Service, and
// half to all routes.
type load struct {
	mu      sync.Mutex
	result  Load
	latency []time.Duration
	cancel  context.CancelFunc
	done    chan struct{}
}

func startLoad(ctx context.Context, w *world, rate int) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel, done: make(chan struct{}), result: Load{Rate: rate}}
	go l.run(ctx, newClient(loadAt), w.routes)
	return l
}

func (l *load) run(ctx context.Context, c *client, routes int) {
	defer close(l.done)
	var open sync.WaitGroup
	defer open.Wait()
	free := make(chan struct{}, mostOpen)
	begun := time.Now()
	for n := 0; ; n++ {
		due := begun.Add(time.Duration(n) * time.Second / time.Duration(l.result.Rate))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		route := -1
		if n%2 == 0 {
			route = rand.IntN(routes)
		}
		select {
		case free <- struct{}{}:
		default:
			l.count(route, due, answer{err: fmt.Errorf("%d requests are under way", mostOpen)})
			continue
		}
		open.Go(func() {
			defer func() { <-free }()
			name := churned
			if route >= 0 {
				name = routeName(route)
			}
			// Not the context of the load, because requests that are open at its end are to be answered.
			l.count(route, due, c.ask(context.WithoutCancel(ctx), "http://"+host(name)+"/"))
		})
	}
}

// count measures from the time at which a request was due, so that a gateway that delays the load does not look fast.
func (l *load) count(route int, due time.Time, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result.Requests++
	l.latency = append(l.latency, time.Since(due))
	fault := ""
	switch {
	case a.err != nil:
		fault = a.err.Error()
	case a.status != http.StatusOK:
		fault = fmt.Sprintf("%d %.100s", a.status, a.body)
	case route >= 0 && number(a.endpoint)/perRoute != route,
		route < 0 && number(a.endpoint) < podsFrom:
		fault = fmt.Sprintf("route %d was answered by another's endpoint %s", route, a.endpoint)
	}
	if fault == "" {
		return
	}
	const enough = 5
	if l.result.Errors++; len(l.result.Examples) < enough {
		l.result.Examples = append(l.result.Examples, fault)
	}
}

// stop ends the load and waits for open requests.
func (l *load) stop() *Load {
	l.cancel()
	<-l.done
	l.result.Latency = quantiles(l.latency)
	return &l.result
}
