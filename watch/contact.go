package watch

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// contact remembers when the API server was last heard of: an answer that is no
// failure of its own, or something on an open watch. An idle watch has a
// bookmark about once a minute.
type contact struct {
	nanoseconds atomic.Int64
	// failed is told of requests without such an answer. Reflectors keep to
	// themselves that a connection is refused.
	failed func(error)
	// back is told of every sign of life.
	back func()
}

func (c *contact) now() {
	c.nanoseconds.Store(time.Now().UnixNano())
	if c.back != nil {
		c.back()
	}
}

func (c *contact) lost(err error) {
	if c.failed != nil {
		c.failed(err)
	}
}

func (c *contact) last() time.Time {
	if n := c.nanoseconds.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// wrap makes a transport tell the contact.
func (c *contact) wrap(next http.RoundTripper) http.RoundTripper {
	return &contactTransport{contact: c, next: next}
}

type contactTransport struct {
	contact *contact
	next    http.RoundTripper
}

func (t *contactTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	switch {
	case err != nil && request.Context().Err() != nil:
		return response, err // we ended it
	case err != nil:
		t.contact.lost(err)
		return response, err
	case response.StatusCode >= http.StatusInternalServerError:
		t.contact.lost(errors.New(response.Status))
		return response, nil
	}
	t.contact.now()
	response.Body = &contactBody{ReadCloser: response.Body, contact: t.contact}
	return response, nil
}

type contactBody struct {
	io.ReadCloser
	contact *contact
}

func (b *contactBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.contact.now()
	}
	return n, err
}

// WrappedRoundTripper lets client-go find what is beneath.
func (t *contactTransport) WrappedRoundTripper() http.RoundTripper { return t.next }
