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
	// maxKept is the largest body in bytes that is sent more than once: to another
	// endpoint, or as a copy to a mirror.
	maxKept = 64 << 10
	// maxConnects is the most of endpoints that are tried where there is no word of
	// retries and nothing was sent yet. It is Kong's own.
	maxConnects = 5
	// defaultTry is the time for the begin of an answer of a try that is to be followed
	// by others, where none is given. It is Kong's own.
	defaultTry = time.Minute
)

// The causes of the end of a request.
var (
	errRequestTimeout = errors.New("the request took longer than it may")
	errTryTimeout     = errors.New("a try took longer than it may")
)

// exchange is one request, its tries, and the answer.
type exchange struct {
	relay   *Relay
	rule    *rule
	request *http.Request
	body    *body // nil if there is none
	cancel  context.CancelCauseFunc
	limit   *time.Timer // of the whole request; nil for none
	copying *copying    // nil if there are no copies
}

func newExchange(r *Relay, found *rule, q *http.Request) *exchange {
	x := &exchange{relay: r, rule: found}
	ctx, cancel := context.WithCancelCause(q.Context())
	x.cancel, x.request = cancel, q.WithContext(ctx)
	if found.Request > 0 {
		x.limit = time.AfterFunc(found.Request, func() { cancel(errRequestTimeout) })
	}
	if q.Body != nil && q.Body != http.NoBody && q.ContentLength != 0 {
		x.body = &body{source: q.Body, memory: r.memory, namespace: found.Namespace}
		if found.Retry != nil || len(found.mirrors) > 0 {
			x.body.limit = maxKept
		}
	}
	return x
}

// end is for when the answer has been sent.
func (x *exchange) end() {
	if x.limit != nil {
		x.limit.Stop()
	}
	x.cancel(nil)
	x.copying.end()
	if x.body != nil {
		x.body.finish()
	}
}

// RoundTrip implements [http.RoundTripper]: it tries until there is an answer to be sent.
func (x *exchange) RoundTrip(q *http.Request) (*http.Response, error) {
	x.copy(q)
	at, kept := x.rule.sessions.find(q)
	for tried := 1; ; tried++ {
		if !kept {
			at = x.rule.next(at)
		}
		answer, err := x.try(q, at)
		if !x.again(q.Context(), tried, at.backend, answer, err) {
			if !kept && err == nil {
				x.rule.sessions.begin(answer, q, at.target)
			}
			return answer, err
		}
		kept = false // an endpoint that fails is not insisted on
		x.relay.retries.Inc()
		if answer != nil {
			// A connection is used again if what is left in it is little.
			_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
			answer.Body.Close()
		}
		if err := x.wait(q.Context()); err != nil {
			return nil, err
		}
	}
}

// try sends the request to one endpoint.
func (x *exchange) try(q *http.Request, at destination) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(q.Context())
	out := q.WithContext(ctx)
	url := *q.URL
	url.Scheme, url.Host = at.backend.scheme(), at.target
	out.URL = &url
	if out.Host == x.relay.options.Address {
		out.Host = "" // Kong had no better name than ours; the endpoint has its own
	}
	if x.body != nil && q.Body != nil {
		out.Body = x.body.view()
	}
	t := &try{cancel: cancel}
	if x.rule.Try > 0 {
		t.limit = time.AfterFunc(x.rule.Try, func() { cancel(errTryTimeout) })
	} else if x.rule.Retry != nil {
		t.limit = time.AfterFunc(defaultTry, func() { cancel(errTryTimeout) })
		t.first = true
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

// again tells whether there is to be another try.
func (x *exchange) again(ctx context.Context, tried int, b *backend, answer *http.Response, err error) bool {
	if ctx.Err() != nil || x.body != nil && !x.body.replayable() {
		return false
	}
	if retry := x.rule.Retry; retry != nil {
		return tried <= retry.Attempts && (err != nil || slices.Contains(retry.Codes, answer.StatusCode))
	}
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "dial" && tried < min(maxConnects, len(b.Targets))
}

// wait waits before another try.
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

// fail answers when no endpoint did.
func (x *exchange) fail(w http.ResponseWriter, q *http.Request, err error) {
	cause := context.Cause(x.request.Context())
	if cause != nil {
		err = cause
	}
	x.relay.options.Log.LogAttrs(q.Context(), slog.LevelDebug, "A request was not answered", slog.String("relay", x.rule.Name), slog.Any("error", err))
	var slow net.Error
	if errors.Is(err, errRequestTimeout) || errors.Is(err, errTryTimeout) || errors.As(err, &slow) && slow.Timeout() {
		refuse(w, http.StatusGatewayTimeout, "no backend answered in time")
		return
	}
	refuse(w, http.StatusBadGateway, "no backend could be asked")
}

// try is one of an exchange.
type try struct {
	cancel context.CancelCauseFunc
	limit  *time.Timer // nil for none
	first  bool        // the limit is for the begin of the answer
}

func (t *try) end() {
	if t.limit != nil {
		t.limit.Stop()
	}
	t.cancel(nil)
}

// answered has the limits be for the answer's body, too; but not for what comes after a
// change of the protocol, which is no answer.
func (t *try) answered(x *exchange, answer *http.Response) {
	if answer.StatusCode == http.StatusSwitchingProtocols {
		if x.limit != nil {
			x.limit.Stop()
		}
		t.first = true
	}
	if t.first && t.limit != nil {
		t.limit.Stop()
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		answer.Body = &answerBody{answer.Body, t}
	}
}

// answerBody ends its try when it is closed.
type answerBody struct {
	io.ReadCloser
	try *try
}

// Close implements [io.Closer].
func (b *answerBody) Close() error {
	defer b.try.end()
	return b.ReadCloser.Close()
}
