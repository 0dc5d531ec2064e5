package datapath

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/translate/route"
)

const (
	// maxCopies limits the concurrent copies, and maxCopiesEach those to one mirror, so that a slow
	// mirror does not use the capacity of others. One namespace may use half of maxCopies. The body
	// of a copy has at most maxKept bytes.
	maxCopies     = 1024
	maxCopiesEach = 128
	// copyTimeout is the timeout of a copy.
	copyTimeout = 15 * time.Second
)

// mirror receives copies of a rule's requests.
type mirror struct {
	route.Mirror
	backend *backend
	copies  chan struct{}
}

// copying is one request that is copied.
type copying struct {
	relay     *Relay
	namespace string
	mirrors   []*mirror
	request   *http.Request
	body      *body       // nil if there is none
	waiting   atomic.Bool // for the body
}

// copy sends copies of a request to the mirrors that are selected for it: at once, or when the
// whole body has been sent to the backend.
func (x *exchange) copy(q *http.Request) {
	c := &copying{relay: x.relay, namespace: x.rule.Namespace}
	for _, m := range x.rule.mirrors {
		if m.Numerator >= m.Denominator || rand.IntN(m.Denominator) < m.Numerator {
			c.mirrors = append(c.mirrors, m)
		}
	}
	switch {
	case len(c.mirrors) == 0:
		return
	case q.Header.Get("Upgrade") != "": // what follows is not HTTP
		c.drop("upgrade")
		return
	}
	c.request = q.Clone(context.Background())
	x.copying = c
	if x.body == nil || q.Body == nil {
		c.send(nil)
		return
	}
	c.body = x.body
	c.waiting.Store(true)
	x.body.whole = func(body []byte) {
		if c.waiting.CompareAndSwap(true, false) {
			c.send(body)
		}
	}
}

// send starts all copies and does not wait for them.
func (c *copying) send(body []byte) {
	for _, m := range c.mirrors {
		c.mirror(m, body)
	}
}

// end drops copies whose body was too large, or was not read by the backend.
func (c *copying) end() {
	if c != nil && c.waiting.CompareAndSwap(true, false) {
		c.drop("body")
	}
}

func (c *copying) drop(why string) {
	for range c.mirrors {
		c.relay.dropped(why)
	}
}

// mirror sends one copy if the limits permit.
func (c *copying) mirror(m *mirror, body []byte) {
	r := c.relay
	if !r.copies.take(c.namespace, 1) {
		r.dropped("busy")
		return
	}
	select {
	case m.copies <- struct{}{}:
	default:
		r.copies.release(c.namespace, 1)
		r.dropped("busy")
		return
	}
	if c.body != nil {
		c.body.acquire()
	}
	go func() {
		defer c.finished(m)
		err := process.Recover(func() error { return m.send(c.request, body) })
		if err != nil {
			r.options.Log.LogAttrs(context.Background(), slog.LevelDebug, "A mirror did not answer a copy of a request", slog.String("mirror", m.Name), slog.Any("error", err))
			r.mirrored.WithLabelValues("failed").Inc()
			return
		}
		r.mirrored.WithLabelValues("sent").Inc()
	}()
}

// finished releases what a copy used.
func (c *copying) finished(m *mirror) {
	if c.body != nil {
		c.body.release()
	}
	<-m.copies
	c.relay.copies.release(c.namespace, 1)
}

// send sends a copy and discards the answer.
func (m *mirror) send(q *http.Request, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), copyTimeout)
	defer cancel()
	out := q.Clone(ctx)
	out.URL.Scheme, out.URL.Host = m.backend.scheme(), m.backend.target()
	out.Body, out.ContentLength, out.TransferEncoding, out.Trailer = http.NoBody, int64(len(body)), nil, nil
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer, err := m.backend.transport.RoundTrip(out)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxKept)
	return nil
}
