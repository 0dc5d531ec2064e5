package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// Costs are the costs of requests whose routes have more than a backend.
type Costs struct {
	Machine Machine
	Begun   Moment
	Ended   Moment
	// For is how long each feature was measured in each round.
	For      time.Duration
	Features []Cost
}

// Cost has a feature's measurements, one for each round.
type Cost struct {
	Name, By string
	Rounds   []Round
}

// Round is one measurement of one feature.
type Round struct {
	// Rate is the number of requests a second with all connections busy. Kong and KubeSync are
	// the processor time of each request meanwhile.
	Rate           float64
	Kong, KubeSync time.Duration
	// Alone is the median time of a request without any other.
	Alone time.Duration
}

// busy is the number of connections that send requests one after the other.
const busy = 16

// costWorld has the objects and servers that the features need.
const costWorld = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: costs}
spec:
  gatewayClassName: kong
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: transform}
plugin: request-transformer
config: {add: {headers: ["X-A:a"]}}
---
`

// costs measures all features on one gateway, in rounds, so that other work of the machine
// affects all of them.
func costs(t testing.TB, rounds int, each time.Duration) *Costs {
	t.Helper()
	needKong(t)
	w, credentials := costsWorld(t)
	g := &gateway{pod: pod.Start(t, pod.Options{
		Credentials: credentials, Name: "gateway-0",
		Settings: map[string]string{"PUBLISH_STATUS_ADDRESS": address(kongAt).String()},
		Kong:     map[string]string{"NGINX_PROXY_LISTEN": fmt.Sprintf("%s:80 reuseport backlog=16384", address(kongAt))},
	})}
	c := &Costs{Machine: w.machine(t), Begun: now(), For: each}
	for i, f := range features {
		r := newRequester(f, i)
		eventually.Nil(t, time.Minute, func() error { return r.ask(t.Context()) })
		c.Features = append(c.Features, Cost{Name: f.Name, By: f.By})
	}
	g.awaitIdle(time.Second, time.Minute)
	for range rounds {
		for i, f := range features {
			round, err := g.cost(t.Context(), newRequester(f, i), each)
			must(t, err)
			c.Features[i].Rounds = append(c.Features[i].Rounds, round)
			t.Logf("%-50s %6.0f/s, Kong %s, kube-sync %s, alone %s", f.Name, round.Rate, round.Kong, round.KubeSync, round.Alone)
		}
	}
	c.Ended = now()
	return c
}

// costsWorld creates a route for each feature.
func costsWorld(t testing.TB) (*world, lab.Credentials) {
	t.Helper()
	w := newWorld(t)
	startBackend(t)
	w.cp.MustApplyModule(t, lab.GatewayAPI, lab.GatewayAPIDefinitions)
	w.cp.MustApplyModule(t, lab.Kong, lab.KongDefinitions)
	w.cp.MustApply(t, w.namespace, costWorld)
	must(t, w.service(t.Context(), "backend", address(1)))
	must(t, w.service(t.Context(), "other", address(2)))
	must(t, w.service(t.Context(), "h2c", address(3)))
	w.cp.MustApply(t, w.namespace, `
apiVersion: v1
kind: Service
metadata: {name: h2c}
spec: {clusterIP: None, ports: [{name: http, port: 80, appProtocol: kubernetes.io/h2c}]}
`)
	startSecureBackend(t, w)
	for i, f := range features {
		w.cp.MustApply(t, w.namespace, fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s}
spec:
  parentRefs: [{name: costs}]
  hostnames: [%s]
  rules: [{%s}]
`, routeName(i), host(routeName(i)), f.rule))
	}
	return w, w.credentials(t, roles(t))
}

// requester sends requests for one feature.
type requester struct {
	feature feature
	host    string
	client  *http.Client
}

func newRequester(f feature, i int) *requester {
	kong := net.JoinHostPort(address(kongAt).String(), "80")
	return &requester{feature: f, host: host(routeName(i)), client: &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{MaxIdleConnsPerHost: busy, DisableCompression: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp4", kong)
			}},
	}}
}

// ask sends one request. A wrong answer is an error.
func (r *requester) ask(ctx context.Context) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.host+"/", nil)
	if err != nil {
		return err
	}
	for name, value := range r.feature.headers {
		q.Header.Set(name, value)
	}
	answer, err := r.client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && !r.feature.right(answer.StatusCode) {
		err = fmt.Errorf("%s: %s %.200s", r.feature.Name, answer.Status, body)
	}
	return err
}

// cost measures a feature once.
func (g *gateway) cost(ctx context.Context, r *requester, during time.Duration) (Round, error) {
	defer r.client.CloseIdleConnections()
	alone, err := r.flood(ctx, 1, during/4)
	if err != nil {
		return Round{}, err
	}
	kubeSync, kong := used(g.kubeSync()), used(g.kong()...)
	begun := time.Now()
	times, err := r.flood(ctx, busy, during)
	n := time.Duration(len(times))
	return Round{
		Rate: float64(n) / time.Since(begun).Seconds(), Alone: quantiles(alone).P50,
		Kong: (used(g.kong()...) - kong) / n, KubeSync: (used(g.kubeSync()) - kubeSync) / n,
	}, err
}

// flood sends requests over a number of connections, one after the other on each, and returns
// the times that they took.
func (r *requester) flood(ctx context.Context, connections int, during time.Duration) (times []time.Duration, failed error) {
	var (
		mu   sync.Mutex
		open sync.WaitGroup
	)
	end := time.Now().Add(during)
	for range connections {
		open.Go(func() {
			var own []time.Duration
			var err error
			for err == nil && (len(own) == 0 || time.Now().Before(end)) {
				begun := time.Now()
				err = r.ask(ctx)
				own = append(own, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			if times = append(times, own...); err != nil {
				failed = err
			}
		})
	}
	open.Wait()
	return times, failed
}

// median returns the median of all rounds.
func (c Cost) median(of func(Round) float64) float64 { return medianRound(c.Rounds, of) }

func medianRound[R any](rounds []R, of func(R) float64) float64 {
	var all []float64
	for _, r := range rounds {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// page returns the page of the costs.
func (c *Costs) page() string {
	d := &document{}
	d.line("# What requests cost that ask for more than a backend")
	d.line("")
	d.line("Made by `make bench-features`, of [%s](%s). Each row is an HTTPRoute that asks for one thing; *by* says what does", costsData, costsData)
	d.line("it: entities of Kong, a plugin in Lua within Kong's worker, or the relay, a proxy inside kube-sync to which Kong hands the")
	d.line("requests of such routes, and of no others. Processor time is that of one request, in microseconds, with %d connections busy;", busy)
	d.line("× compares all of it with *%s* in the same round. *Alone* is the median time of a request when there is no other,", plain)
	d.line("and *more* how much longer that is than it is for *%s*. Client and endpoint share the machine, so that rates say little", plain)
	d.line("by themselves. All figures are medians of %d rounds of %s each.", len(c.Features[0].Rounds), c.For)
	d.line("")
	d.conditions(c.Machine, c.Begun, c.Ended)
	d.table("asked for", "by", "Kong µs", "kube-sync µs", "×", "alone ms", "more ms", "requests/s")
	for _, f := range c.Features {
		ratio := c.compared(f, func(r, plain Round) float64 {
			return float64(r.Kong+r.KubeSync) / float64(plain.Kong+plain.KubeSync)
		})
		more := c.compared(f, func(r, plain Round) float64 { return milliseconds(r.Alone - plain.Alone) })
		d.row(f.Name, f.By,
			fmt.Sprintf("%.0f", f.median(func(r Round) float64 { return float64(r.Kong.Microseconds()) })),
			fmt.Sprintf("%.0f", f.median(func(r Round) float64 { return float64(r.KubeSync.Microseconds()) })),
			fmt.Sprintf("%.2f", ratio),
			fmt.Sprintf("%.2f", f.median(func(r Round) float64 { return milliseconds(r.Alone) })),
			fmt.Sprintf("%+.2f", more),
			thousands(int64(f.median(func(r Round) float64 { return r.Rate }))))
	}
	return strings.NewReplacer("+0.00", "0.00", "-0.00", "0.00").Replace(d.text.String())
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// compared returns the median over the rounds of a comparison with the plain feature.
func (c *Costs) compared(f Cost, with func(r, plain Round) float64) float64 {
	i := 0
	base := c.Features[slices.IndexFunc(c.Features, func(f Cost) bool { return f.Name == plain })]
	return f.median(func(r Round) float64 {
		i++
		return with(r, base.Rounds[i-1])
	})
}
