package datapath

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	// maxKept is the size in bytes of the largest body that is sent more than once: to another
	// endpoint, or to a mirror.
	maxKept = 64 << 10
	// maxConnects limits the endpoints tried when no retry is configured and nothing was sent yet.
	// It is Kong's default.
	maxConnects = 5
	// defaultAttemptTimeout is the time for the start of an answer if more attempts may follow and
	// no timeout is configured. It is Kong's default.
	defaultAttemptTimeout = time.Minute
)

// The causes for which a request is canceled.
var (
	errRequestTimeout = errors.New("the request timed out")
	errAttemptTimeout = errors.New("an attempt timed out")
)

// exchange is one request with its attempts and its answer.
type exchange struct {
	relay   *Relay
	rule    *rule
	request *http.Request
	body    *body // nil if there is none
	cancel  context.CancelCauseFunc
	timer   *time.Timer // of the whole request; nil for none
	copying *copying    // nil if there are no copies
}

func newExchange(r *Relay, found *rule, q *http.Request) *exchange {
	x := &exchange{relay: r, rule: found}
	ctx, cancel := context.WithCancelCause(q.Context())
	x.cancel, x.request = cancel, q.WithContext(ctx)
	if found.Request > 0 {
		x.timer = time.AfterFunc(found.Request, func() { cancel(errRequestTimeout) })
	}
	if q.Body != nil && q.Body != http.NoBody && q.ContentLength != 0 {
		x.body = &body{source: q.Body, memory: r.memory, namespace: found.Namespace}
		if found.Retry != nil || len(found.mirrors) > 0 {
			x.body.limit = maxKept
		}
	}
	return x
}

// end releases what the exchange holds, after the answer was sent.
func (x *exchange) end() {
	if x.timer != nil {
		x.timer.Stop()
	}
	x.cancel(nil)
	x.copying.end()
	if x.body != nil {
		x.body.finish()
	}
}

// RoundTrip implements [http.RoundTripper]: it makes attempts until one has an answer for the
// client.
func (x *exchange) RoundTrip(q *http.Request) (*http.Response, error) {
	x.copy(q)
	at, kept := x.rule.sessions.find(q)
	for tried := 1; ; tried++ {
		if !kept {
			at = x.rule.next(at)
		}
		answer, err := x.attempt(q, at)
		if !x.shouldRetry(q.Context(), tried, at.backend, answer, err) {
			if !kept && err == nil {
				x.rule.sessions.start(answer, q, at.target)
			}
			return answer, err
		}
		kept = false // the session moves away from a failing endpoint
		x.relay.retries.Inc()
		if answer != nil {
			// Read a short rest, so that the connection can be reused.
			_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
			answer.Body.Close()
		}
		if err := x.wait(q.Context()); err != nil {
			return nil, err
		}
	}
}

// attempt sends the request to one endpoint.
func (x *exchange) attempt(q *http.Request, at destination) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(q.Context())
	out := q.WithContext(ctx)
	url := *q.URL
	url.Scheme, url.Host = at.backend.scheme(), at.target
	out.URL = &url
	if out.Host == x.relay.options.Address {
		out.Host = "" // use the endpoint's name in place of the relay's
	}
	if x.body != nil && q.Body != nil {
		out.Body = x.body.newView()
	}
	t := &attempt{cancel: cancel}
	if x.rule.Try > 0 {
		t.timer = time.AfterFunc(x.rule.Try, func() { cancel(errAttemptTimeout) })
	} else if x.rule.Retry != nil {
		t.timer = time.AfterFunc(defaultAttemptTimeout, func() { cancel(errAttemptTimeout) })
		t.untilAnswer = true
	}
	answer, err := at.backend.transport.RoundTrip(out)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		t.end()
		return nil, err
	}
	t.answered(x, answer)
	return answer, nil
}

// shouldRetry reports whether another attempt follows.
func (x *exchange) shouldRetry(ctx context.Context, tried int, b *backend, answer *http.Response, err error) bool {
	if ctx.Err() != nil || x.body != nil && !x.body.replayable() {
		return false
	}
	if retry := x.rule.Retry; retry != nil {
		return tried <= retry.Attempts && (err != nil || slices.Contains(retry.Codes, answer.StatusCode))
	}
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "dial" && tried < min(maxConnects, len(b.Targets))
}

// wait waits for the configured backoff.
func (x *exchange) wait(ctx context.Context) error {
	if x.rule.Retry == nil || x.rule.Retry.Backoff == 0 {
		return nil
	}
	timer := time.NewTimer(x.rule.Retry.Backoff)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fail answers a request for which no endpoint answered.
func (x *exchange) fail(w http.ResponseWriter, q *http.Request, err error) {
	x.relay.requests.WithLabelValues("error").Inc()
	cause := context.Cause(x.request.Context())
	if cause != nil {
		err = cause
	}
	x.relay.options.Log.LogAttrs(q.Context(), slog.LevelDebug, "A request was not answered", slog.String("relay", x.rule.Name), slog.Any("error", err))
	var slow net.Error
	if errors.Is(err, errRequestTimeout) || errors.Is(err, errAttemptTimeout) || errors.As(err, &slow) && slow.Timeout() {
		refuse(w, http.StatusGatewayTimeout, "no backend answered in time")
		return
	}
	refuse(w, http.StatusBadGateway, "no backend could be reached")
}

// attempt is one attempt to get an answer.
type attempt struct {
	cancel      context.CancelCauseFunc
	timer       *time.Timer // nil for none
	untilAnswer bool        // the timer is for the start of the answer
}

func (t *attempt) end() {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.cancel(nil)
}

// answered makes the timeouts apply to the answer's body. They end when the connection changes its
// protocol, as what follows is no answer.
func (t *attempt) answered(x *exchange, answer *http.Response) {
	if answer.StatusCode == http.StatusSwitchingProtocols {
		if x.timer != nil {
			x.timer.Stop()
		}
		t.untilAnswer = true
	}
	if t.untilAnswer && t.timer != nil {
		t.timer.Stop()
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		answer.Body = &answerBody{answer.Body, t}
	}
}

// answerBody ends its attempt when it is closed.
type answerBody struct {
	io.ReadCloser
	try *attempt
}

// Close implements [io.Closer].
func (b *answerBody) Close() error {
	defer b.try.end()
	return b.ReadCloser.Close()
}
