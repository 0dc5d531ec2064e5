package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// answer is the answer to a request.
type answer struct {
	status int
	pod    string // the pod that answered, if one did
	body   string
}

// get sends one request over a new connection, so that any of Kong's workers may
// answer.
func get(address, host, path string) (answer, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return answer{}, err
	}
	request.Host = host
	request.Close = true
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: response.StatusCode, body: string(body)}
	var echo struct{ Pod string }
	if json.Unmarshal(body, &echo) == nil {
		a.pod = echo.Pod
	}
	return a, nil
}

// answersWithin is how long a test waits for an answer. It is less than Kong waits for a backend by itself.
const answersWithin = 50 * time.Second

var client = &http.Client{Timeout: answersWithin, Transport: &http.Transport{DisableKeepAlives: true}}

// connections are so many that each of Kong's workers answers one of them.
const connections = 6

// wantStatus waits until a request is answered with a status, by all of Kong's workers.
func wantStatus(t *testing.T, address, host, path string, status int) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range connections {
			a, err := get(address, host, path)
			if err != nil {
				return err
			}
			if a.status != status {
				return fmt.Errorf("%s%s answers %d, want %d: %s", host, path, a.status, status, a.body)
			}
		}
		return nil
	})
}

// wantAllPods waits until requests have reached a number of pods and all of Kong's workers use the same configuration.
func wantAllPods(t *testing.T, gw *pod.Pod, host, path string, n int) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		seen := map[string]bool{}
		for range 30 * n {
			a, err := get(gw.HTTP, host, path)
			if err != nil {
				return err
			}
			seen[a.pod] = a.pod != ""
		}
		if delete(seen, ""); len(seen) != n {
			return fmt.Errorf("%s%s reaches the pods %v, want %d", host, path, slices.Sorted(maps.Keys(seen)), n)
		}
		return gw.Effective()
	})
}

// nextSecond waits until objects that are created are younger than those that exist. Their creation times are in whole
// seconds.
func nextSecond() { time.Sleep(1100 * time.Millisecond) }

// load is a steady stream of requests to one host.
type load struct {
	mu       sync.Mutex
	requests int
	failures []string
	pods     map[string]int // answers since the last Forget
	cancel   context.CancelFunc
	done     chan struct{}
}

// startLoad sends requests to a host until the test ends or Stop is called.
func startLoad(t *testing.T, address, host string) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{pods: map[string]int{}, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for ctx.Err() == nil {
			a, err := get(address, host, "/")
			l.count(a, err)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-l.done })
	return l
}

func (l *load) count(a answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	switch {
	case err != nil:
		l.failures = append(l.failures, err.Error())
	case a.status != http.StatusOK:
		l.failures = append(l.failures, fmt.Sprintf("%d %s", a.status, a.body))
	default:
		l.pods[a.pod]++
	}
}

// Forget restarts the count of answers by pod.
func (l *load) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pods = map[string]int{}
}

// Pods returns the pods that have answered since Forget.
func (l *load) Pods() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.pods))
}

// Answered waits for further answers.
func (l *load) Answered(t *testing.T, more int) {
	t.Helper()
	l.mu.Lock()
	from := l.requests
	l.mu.Unlock()
	eventually.Nil(t, time.Minute, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.requests < from+more {
			return fmt.Errorf("%d requests answered, want %d", l.requests-from, more)
		}
		return nil
	})
}

// Forgive discards the failures so far, at most a number of them.
func (l *load) Forgive(t *testing.T, most int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.failures); n > most {
		t.Errorf("%d requests failed, want no more than %d: %s", n, most, strings.Join(l.failures[:5], "\n"))
	}
	l.failures = nil
}

// Stop ends the load. It fails the test if requests failed.
func (l *load) Stop(t *testing.T) {
	t.Helper()
	l.cancel()
	<-l.done
	failures := l.failures
	if n := len(failures); n > 0 && strings.Contains(failures[n-1], "context canceled") {
		failures = failures[:n-1]
	}
	t.Logf("%d requests, %d failures", l.requests, len(failures))
	if len(failures) > 0 {
		t.Errorf("%d of %d requests failed: %s", len(failures), l.requests, strings.Join(failures[:min(5, len(failures))], "\n"))
	}
}
