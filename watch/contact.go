package watch

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// contact remembers when the API server was last heard of: an answer that is no
// failure of its own, or something on an open watch. An idle watch has a
// bookmark about once a minute.
type contact struct{ nanoseconds atomic.Int64 }

func (c *contact) now() { c.nanoseconds.Store(time.Now().UnixNano()) }

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
	if err != nil || response.StatusCode >= http.StatusInternalServerError {
		return response, err
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
