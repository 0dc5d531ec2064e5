package companion

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkExamination compares the cost of a plain request with and without the plugin
// kube-sync-request: the worker's processor time for each request, in rounds that alternate between two
// Kongs, so that other work of the machine affects both.
//
//	go test ./e2e/companion -run '^$' -bench Examination -benchtime 1x
func BenchmarkExamination(b *testing.B) {
	const rounds, each = 20, 4000
	backend := startBackends(b, 1).http[0]
	kongs := map[string]*kong{}
	plugins := map[string]string{"without": "bundled,kube-sync-delta,kube-sync-http", "with": "bundled,kube-sync-delta,kube-sync-http,kube-sync-request"}
	for name, list := range plugins {
		kongs[name] = start(b, "KONG_STREAM_LISTEN=off", "KONG_NGINX_WORKER_PROCESSES=1", "KONG_PLUGINS="+list)
		c := config{}
		c.route("shop.test", backend)
		kongs[name].load(c)
	}
	kinds := map[string]func(*http.Request){
		"GET": func(*http.Request) {},
		"POST": func(q *http.Request) {
			q.Method, q.Body, q.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader("hello")), 5
		},
		"browser": func(q *http.Request) {
			for i := range 15 {
				q.Header.Set(fmt.Sprintf("Sec-Header-%d", i), "a value of some length")
			}
		},
	}
	for _, kind := range []string{"GET", "POST", "browser"} {
		costs := map[string][]float64{}
		for round := range rounds + 2 {
			for _, name := range []string{"without", "with"} {
				if round%2 == 1 {
					name = map[string]string{"with": "without", "without": "with"}[name]
				}
				cost := kongs[name].cost(each, kinds[kind])
				if round >= 2 { // the first warm up
					costs[name] = append(costs[name], cost)
				}
			}
		}
		var ratios []float64
		for i := range costs["with"] {
			ratios = append(ratios, costs["with"][i]/costs["without"][i])
		}
		without, with, ratio := middle(costs["without"]), middle(costs["with"]), middle(ratios)
		b.Logf("%s: %.1f µs without, %.1f µs with, ratio %.3f (quartiles %.3f and %.3f), load average %s", kind, without, with, ratio, ratios[len(ratios)/4], ratios[len(ratios)*3/4], loadAverage())
		b.ReportMetric(ratio, kind+"-ratio")
	}
}

// middle sorts the values and returns the median.
func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// cost sends a number of requests over 16 connections and returns the worker's processor time for each,
// in microseconds.
func (k *kong) cost(n int, change func(*http.Request)) float64 {
	k.t.Helper()
	const connections = 16
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	worker := k.Workers()[0]
	before := k.used(worker)
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			for range n / connections {
				q, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", k.proxy), nil)
				q.Host = "shop.test"
				change(q)
				answer, err := transport.RoundTrip(q)
				if err != nil {
					k.t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					k.t.Errorf("status %d", answer.StatusCode)
					return
				}
			}
		})
	}
	all.Wait()
	return (k.used(worker) - before).Seconds() * 1e6 / float64(n)
}

// used returns the processor time of a process.
func (k *kong) used(pid int) time.Duration {
	k.t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		k.t.Fatal(err)
	}
	ns, err := strconv.ParseInt(strings.Fields(string(content))[0], 10, 64)
	if err != nil {
		k.t.Fatal(err)
	}
	return time.Duration(ns)
}
