package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
)

var (
	errNoPeers     = errors.New("all targets of the upstream have the weight 0")
	errReadTimeout = errors.New("no answer within the service's read_timeout")
)

// call is the transport of one request. It picks a target, and another one if the first
// cannot be reached.
type call struct {
	service      *declarative.Service
	balancer     *balancer // nil if the service's host is no upstream
	preserveHost bool
	transport    http.RoundTripper
}

// RoundTrip tries until there is an answer, but not more often than the service permits.
func (c *call) RoundTrip(r *http.Request) (*http.Response, error) {
	body := &unclosed{ReadCloser: r.Body}
	tried := map[*declarative.Target]bool{}
	var lastErr error
	for try := 0; try <= c.service.Retries; try++ {
		address, host, err := c.pick(tried)
		if err != nil {
			return nil, err
		}
		resp, err := c.try(r, body, address, host)
		if err == nil {
			return resp, nil
		}
		lastErr = err
		if !again(r, body, err) {
			break
		}
	}
	return nil, lastErr
}

// pick returns the address to connect to and the name for the Host header.
func (c *call) pick(tried map[*declarative.Target]bool) (address, host string, err error) {
	name, port := c.service.Host, c.service.Port
	host = name
	if c.balancer != nil {
		t := c.balancer.next(tried)
		if t == nil {
			return "", "", errNoPeers
		}
		tried[t] = true
		name, port = t.Host, t.Port
		if host = c.balancer.upstream.HostHeader; host == "" {
			host = t.Host
		}
	}
	address = net.JoinHostPort(name, strconv.Itoa(port))
	standard := port == 80 && c.service.Protocol == "http" || port == 443 && c.service.Protocol == "https"
	if !standard {
		host = net.JoinHostPort(host, strconv.Itoa(port))
	}
	return address, host, nil
}

func (c *call) try(r *http.Request, body *unclosed, address, host string) (*http.Response, error) {
	connect := time.Duration(c.service.ConnectTimeout) * time.Millisecond
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), connectTimeout{}, connect))
	out := r.WithContext(ctx)
	u := *r.URL
	u.Host = address
	out.URL = &u
	if !c.preserveHost {
		out.Host = host
	}
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = body
	}
	// The time-out ends when the answer starts. The context then lasts until the client's
	// request ends, for the body.
	read := time.Duration(c.service.ReadTimeout) * time.Millisecond
	timer := time.AfterFunc(read, func() { cancel(errReadTimeout) })
	resp, err := c.transport.RoundTrip(out)
	timer.Stop()
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errReadTimeout) {
			err = cause
		}
		cancel(err)
	}
	return resp, err
}

// idempotent are the methods of requests that nginx repeats.
var idempotent = []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PROPPATCH"}

// again reports whether the request may be repeated: if it was not sent, or if its method is
// idempotent.
func again(r *http.Request, body *unclosed, err error) bool {
	if r.Context().Err() != nil || body.read.Load() {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	hasBody := r.Body != nil && r.Body != http.NoBody
	return !hasBody && slices.Contains(idempotent, r.Method)
}

// unclosed is a body that outlives a try. It records whether any of it was read.
type unclosed struct {
	io.ReadCloser
	read atomic.Bool
}

func (b *unclosed) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}

// Close does nothing: the server closes the client's body.
func (b *unclosed) Close() error { return nil }

// connectTimeout is the key of the service's connect_timeout in a context.
type connectTimeout struct{}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	limit, _ := ctx.Value(connectTimeout{}).(time.Duration)
	d := net.Dialer{Timeout: limit, KeepAlive: 15 * time.Second}
	return d.DialContext(ctx, network, address)
}
