package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// Requests are the costs of requests by the number of routes, with the plugin kube-sync-router and without it.
type Requests struct {
	Machine Machine
	Begun   Moment
	Ended   Moment
	// For is how long each measurement took.
	For    time.Duration
	Sizes  []int
	Shapes []ShapeCosts
}

// ShapeCosts has the measurements of a shape, one for each number of routes.
type ShapeCosts struct {
	Name  string
	Sizes []SizeCosts
}

// SizeCosts has the measurements of one number of routes: in each round, both routers.
type SizeCosts struct {
	Routes         int
	Indexed, Stock []RequestRound
	// Memory is the resident memory of both workers at the end, in bytes.
	IndexedMemory, StockMemory int64
}

// RequestRound is a measurement of one Kong. Kong is the processor time of its workers for one request.
type RequestRound struct {
	Rate    float64
	Kong    time.Duration
	Latency Quantiles
}

// requestConnections is the number of connections that send requests one after the other.
const requestConnections = 8

// requestOptions say how much to measure.
type requestOptions struct {
	sizes  []int
	rounds int
	each   time.Duration
}

// measureRequests measures all shapes. Of each, the two Kongs get the same configuration and take turns.
func measureRequests(t testing.TB, o requestOptions) *Requests {
	t.Helper()
	kongtest.Need(t)
	r := &Requests{Machine: machine(t), Begun: now(), For: o.each, Sizes: o.sizes}
	port := startRequestBackend(t)
	for _, s := range shapes {
		costs := ShapeCosts{Name: s.name}
		for _, routes := range o.sizes {
			if s.most > 0 && routes > s.most {
				continue
			}
			costs.Sizes = append(costs.Sizes, s.measure(t, o, routes, port))
		}
		r.Shapes = append(r.Shapes, costs)
	}
	r.Ended = now()
	return r
}

func (s shape) measure(t testing.TB, o requestOptions, routes, port int) SizeCosts {
	t.Helper()
	config := s.configuration(routes, port)
	indexed, stock := startRouter(t, "bundled,kube-sync-router", config), startRouter(t, "bundled", config)
	defer indexed.Stop()
	defer stock.Stop()
	costs := SizeCosts{Routes: routes}
	for _, kong := range []*kongtest.Kong{indexed, stock} {
		eventually.Nil(t, 5*time.Minute, func() error { return s.served(kong, routes) })
	}
	for range o.rounds {
		costs.Indexed = append(costs.Indexed, s.flood(t, indexed, routes, o.each))
		costs.Stock = append(costs.Stock, s.flood(t, stock, routes, o.each))
	}
	costs.IndexedMemory, costs.StockMemory = resident(indexed), resident(stock)
	t.Logf("%-40s %6d routes: %s with the index, %s without", s.name, routes, costs.Indexed, costs.Stock)
	return costs
}

func resident(k *kongtest.Kong) (bytes int64) {
	for _, pid := range k.Workers() {
		bytes += field(pid, "VmRSS:") << 10
	}
	return bytes
}

func (r RequestRound) String() string {
	return fmt.Sprintf("%s, %.0f/s, p99 %s", r.Kong, r.Rate, r.Latency.P99.Round(time.Microsecond))
}

// startRouter starts a Kong with two workers and a configuration.
func startRouter(t testing.TB, plugins string, config []byte) *kongtest.Kong {
	t.Helper()
	k := kongtest.Start(t, kongtest.Options{Settings: []string{
		"KONG_PLUGINS=" + plugins, "KONG_NGINX_WORKER_PROCESSES=2", "KONG_MEM_CACHE_SIZE=128m", "KONG_LMDB_MAP_SIZE=2048m",
		"KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=512m", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=512m",
		"KONG_PROXY_ACCESS_LOG=off", "KONG_ADMIN_ACCESS_LOG=off", "KONG_NGINX_PROXY_KEEPALIVE_REQUESTS=100000000", "KONG_UPSTREAM_KEEPALIVE_MAX_REQUESTS=0",
	}})
	answer, err := k.Admin().Post("http://kong/config", "text/yaml", bytes.NewReader(config))
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		message, _ := io.ReadAll(answer.Body)
		t.Fatalf("POST /config: %s %.500s", answer.Status, message)
	}
	return k
}

// startRequestBackend starts a server that answers every request with 200, and returns its port on loopback.
func startRequestBackend(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

// serial makes each path unique, so that Kong finds no route in its match cache.
var serial atomic.Int64

// served returns an error unless both workers serve the first and the last route.
func (s shape) served(k *kongtest.Kong, routes int) error {
	const enough = 16 // new connections; the kernel gives each to one of the workers
	for i := range enough {
		c, err := dial(k)
		if err == nil {
			err = errors.Join(c.ask(s, (routes-1)*(i%2)), c.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flood sends requests for random routes.
func (s shape) flood(t testing.TB, k *kongtest.Kong, routes int, during time.Duration) RequestRound {
	t.Helper()
	var (
		mu      sync.Mutex
		open    sync.WaitGroup
		times   []time.Duration
		problem error
	)
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	before, begun := used(k.Workers()...), time.Now()
	for range requestConnections {
		open.Go(func() {
			own, err := s.one(ctx, k, routes)
			mu.Lock()
			defer mu.Unlock()
			times, problem = append(times, own...), errors.Join(problem, err)
		})
	}
	open.Wait()
	took, busy := time.Since(begun), used(k.Workers()...)-before
	must(t, problem)
	return RequestRound{Rate: float64(len(times)) / took.Seconds(), Kong: busy / time.Duration(len(times)), Latency: quantiles(times)}
}

// one sends requests over one connection until the context ends, and at least one.
func (s shape) one(ctx context.Context, k *kongtest.Kong, routes int) (times []time.Duration, err error) {
	c, err := dial(k)
	if err != nil {
		return nil, err
	}
	for err == nil && (len(times) == 0 || ctx.Err() == nil) {
		begun := time.Now()
		err = c.ask(s, rand.IntN(routes))
		times = append(times, time.Since(begun))
	}
	return times, errors.Join(err, c.Close())
}

// connection is a client that takes as little processor time as possible from Kong.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func dial(k *kongtest.Kong) (*connection, error) {
	c, err := net.DialTimeout("tcp4", k.Proxy, answerWithin)
	if err != nil {
		return nil, fmt.Errorf("connect to Kong: %w", err)
	}
	return &connection{c, bufio.NewReader(c)}, nil
}

// ask sends a request for a route and reads the answer. An answer other than 200 is an error.
func (c *connection) ask(s shape, route int) error {
	host, path := s.request(route, int(serial.Add(1)))
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nX-Bench: 1\r\n\r\n", path, host); err != nil {
		return err
	}
	status, err := c.reader.ReadString('\n')
	if err != nil {
		return err
	}
	header, err := textproto.NewReader(c.reader).ReadMIMEHeader()
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil || !strings.Contains(status, " 200 ") {
		return fmt.Errorf("%s%s: %s", host, path, strings.TrimSpace(status))
	}
	_, err = c.reader.Discard(length)
	return err
}
