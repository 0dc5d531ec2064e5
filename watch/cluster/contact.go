package cluster

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// contact remembers when the API server last gave a sign of life, and logs outages. A sign of
// life is an answer other than a server error, or data on an open watch. An idle watch
// receives a bookmark about once a minute.
type contact struct {
	log         *slog.Logger
	nanoseconds atomic.Int64
	unanswered  atomic.Bool
	failures    rate.Sometimes
}

func newContact(log *slog.Logger) *contact {
	return &contact{log: log, failures: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// last returns when the API server was last heard of; zero if never.
func (c *contact) last() time.Time {
	if n := c.nanoseconds.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// failed logs a failed request, at most one a minute.
func (c *contact) failed(what string, err error) {
	c.failures.Do(func() {
		c.log.Warn("cannot read from the cluster", "what", what, "error", err, "last_contact", c.last())
	})
}

// alive notes a sign of life, and logs the end of an outage.
func (c *contact) alive() {
	c.nanoseconds.Store(time.Now().UnixNano())
	if c.unanswered.Load() && c.unanswered.Swap(false) {
		c.log.Info("the cluster answers again")
	}
}

// lost notes a request without an answer. Reflectors do not report a refused connection.
func (c *contact) lost(err error) {
	c.unanswered.Store(true)
	c.failed("connection", err)
}

// wrap returns a transport that reports to the contact.
func (c *contact) wrap(next http.RoundTripper) http.RoundTripper {
	return &contactTransport{contact: c, next: next}
}

type contactTransport struct {
	contact *contact
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *contactTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	switch {
	case err != nil && request.Context().Err() != nil:
		return response, err // the caller ended the request
	case err != nil:
		t.contact.lost(err)
		return response, err
	case response.StatusCode >= http.StatusInternalServerError:
		t.contact.lost(errors.New(response.Status))
		return response, nil
	}
	t.contact.alive()
	response.Body = &contactBody{ReadCloser: response.Body, contact: t.contact}
	return response, nil
}

// WrappedRoundTripper returns the transport beneath, which client-go looks for.
func (t *contactTransport) WrappedRoundTripper() http.RoundTripper { return t.next }

type contactBody struct {
	io.ReadCloser
	contact *contact
}

// Read implements [io.Reader].
func (b *contactBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.contact.alive()
	}
	return n, err
}
