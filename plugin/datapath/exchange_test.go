package datapath

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/translate/route"
)

// failing returns a handler that answers with a status a number of times, and then 200 with the
// body of the request.
func failing(status int, times int32) (http.HandlerFunc, *atomic.Int32) {
	tries := new(atomic.Int32)
	return func(w http.ResponseWriter, q *http.Request) {
		if tries.Add(1) <= times {
			w.WriteHeader(status)
			return
		}
		_, _ = io.Copy(w, q.Body)
	}, tries
}

// closed returns an address on which no server listens.
func closed(t *testing.T) string {
	t.Helper()
	return freeport.Address(t)
}

func TestRetry(t *testing.T) {
	large := strings.Repeat("x", maxKept+1)
	for name, c := range map[string]struct {
		status  int
		times   int32
		retry   *route.Retry
		body    string
		want    int
		tries   int32
		atLeast time.Duration
	}{
		"succeeds within the attempts":   {status: 500, times: 2, retry: &route.Retry{Codes: []int{500}, Attempts: 3}, want: 200, tries: 3},
		"the last answer is sent":        {status: 500, times: 9, retry: &route.Retry{Codes: []int{500}, Attempts: 3}, want: 500, tries: 4},
		"other codes are final":          {status: 503, times: 1, retry: &route.Retry{Codes: []int{500}, Attempts: 3}, want: 503, tries: 1},
		"no retry without configuration": {status: 500, times: 1, want: 500, tries: 1},
		"the body is sent again":         {status: 502, times: 1, retry: &route.Retry{Codes: []int{502}, Attempts: 1}, body: "hello", want: 200, tries: 2},
		"a large body is sent once":      {status: 502, times: 1, retry: &route.Retry{Codes: []int{502}, Attempts: 1}, body: large, want: 502, tries: 1},
		"it waits for the backoff":       {status: 500, times: 2, retry: &route.Retry{Codes: []int{500}, Attempts: 2, Backoff: 30 * time.Millisecond}, want: 200, tries: 3, atLeast: 60 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			handler, tries := failing(c.status, c.times)
			if c.body == large {
				handler = readFirst(handler)
			}
			s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(endpoint(t, handler)), Retry: c.retry})
			begun := time.Now()
			status, text := s.ask(s.request("k", "POST", "/", strings.NewReader(c.body)))
			if status != c.want || tries.Load() != c.tries || status == 200 && text != c.body {
				t.Errorf("%d after %d attempts, want %d after %d", status, tries.Load(), c.want, c.tries)
			}
			if took := time.Since(begun); took < c.atLeast {
				t.Errorf("it took %v", took)
			}
			if got := testutil.ToFloat64(s.retries); got != float64(c.tries-1) {
				t.Errorf("%v retries are counted", got)
			}
		})
	}
}

// readFirst returns a handler that reads the whole body before it calls another one.
func readFirst(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		handler(w, q)
	}
}

// An endpoint that is down is skipped, even without a configured retry and with a body: nothing was
// sent to it.
func TestConnectionErrors(t *testing.T) {
	target := endpoint(t, func(w http.ResponseWriter, q *http.Request) { _, _ = io.Copy(w, q.Body) })
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(closed(t), target)})
	for range 4 {
		if status, text := s.ask(s.request("k", "POST", "/", strings.NewReader("hello"))); status != 200 || text != "hello" {
			t.Errorf("%d %s", status, text)
		}
	}
	s.Add(entities(route.Relay{Name: "r", Key: "k", Backends: to(closed(t))}))
	if status, _ := s.ask(s.request("k", "GET", "/", nil)); status != 502 {
		t.Errorf("without any endpoint: %d", status)
	}
}

// If a connection ends without an answer, another attempt follows only if retries are configured.
func TestResetConnections(t *testing.T) {
	var tries atomic.Int32
	target := endpoint(t, func(_ http.ResponseWriter, _ *http.Request) {
		if tries.Add(1)%2 == 1 {
			panic(http.ErrAbortHandler)
		}
	})
	s := running(t, near, route.Relay{Name: "retry", Key: "k", Backends: to(target), Retry: &route.Retry{Attempts: 1}},
		route.Relay{Name: "plain", Key: "p", Backends: to(target)})
	if status, _ := s.ask(s.request("k", "POST", "/", strings.NewReader("hello"))); status != 200 {
		t.Errorf("with retries: %d", status)
	}
	if status, _ := s.ask(s.request("p", "POST", "/", strings.NewReader("hello"))); status != 502 {
		t.Errorf("without: %d", status)
	}
}

// slow starts an answer at once and keeps it open until the client leaves, or never answers.
func slow(begins bool) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body) // so that the server notices when the client leaves
		if begins {
			_, _ = io.WriteString(w, "begin")
			_ = http.NewResponseController(w).Flush()
		}
		<-q.Context().Done()
	}
}

func TestTimeouts(t *testing.T) {
	const little = 50 * time.Millisecond
	silent := endpoint(t, slow(false))
	for name, rule := range map[string]route.Relay{
		"request without an answer":               {Backends: to(silent), Request: little},
		"attempt without an answer":               {Backends: to(silent), Try: little},
		"each attempt has its own timeout":        {Backends: to(silent), Try: little, Retry: &route.Retry{Attempts: 2}},
		"the request times out over all attempts": {Backends: to(silent), Request: little, Retry: &route.Retry{Attempts: 1000, Codes: []int{500}}},
		"the request times out during a wait":     {Backends: to(closed(t)), Request: little, Retry: &route.Retry{Attempts: 1000, Backoff: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			s, status, err := answerIn(t, rule)
			if status != 504 || err != nil {
				t.Errorf("%d, and the answer ends with %v", status, err)
			}
			if retry := rule.Retry; retry != nil && rule.Try > 0 && testutil.ToFloat64(s.retries) != float64(retry.Attempts) {
				t.Errorf("%v retries", testutil.ToFloat64(s.retries))
			}
		})
	}
	begins := endpoint(t, slow(true))
	for name, rule := range map[string]func(time.Duration) route.Relay{
		"request with an endless answer": func(d time.Duration) route.Relay { return route.Relay{Backends: to(begins), Request: d} },
		"attempt with an endless answer": func(d time.Duration) route.Relay { return route.Relay{Backends: to(begins), Try: d} },
	} {
		t.Run(name, func(t *testing.T) {
			longer(t, little, func(d time.Duration) bool {
				_, status, err := answerIn(t, rule(d))
				if status == 200 && err == nil {
					t.Error("the answer does not end in an error")
				}
				return status == 200
			})
		})
	}
}

// answerIn returns the status of a rule's answer, and how its body ends.
func answerIn(t *testing.T, rule route.Relay) (s *serving, status int, end error) {
	t.Helper()
	rule.Name, rule.Key = "r", "k"
	s = running(t, near, rule)
	answer, err := http.DefaultTransport.RoundTrip(s.request("k", "GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	return s, answer.StatusCode, err
}

// longer tries something with more and more time, as a busy machine may need it.
func longer(t *testing.T, d time.Duration, try func(time.Duration) bool) {
	t.Helper()
	for ; !try(d); d *= 2 {
		if d > time.Minute {
			t.Fatalf("%v are not enough", d)
		}
	}
}

// An attempt that times out is followed by another one.
func TestRetryAfterATimeout(t *testing.T) {
	never, fast := endpoint(t, slow(false)), endpoint(t, names("fast"))
	for range 2 {
		longer(t, 100*time.Millisecond, func(d time.Duration) bool {
			s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(never, fast), Try: d, Retry: &route.Retry{Attempts: 1}})
			for range 2 {
				if status, text := s.ask(s.request("k", "POST", "/", strings.NewReader("hello"))); status != 200 || text != "fast" {
					return false
				}
			}
			return true
		})
	}
}
