package bench

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// workerHeader is the header that identifies the worker that answers.
	workerHeader = "X-Worker"
	answerWithin = 30 * time.Second
)

// answer is the answer to a request.
type answer struct {
	begun, ended time.Time
	status       int
	worker       string // process id
	endpoint     netip.Addr
	serial       string // of the certificate that was shown
	body         string // if no endpoint answered
	err          error
}

// client sends requests to Kong. Each request has a new connection, so that any worker may answer.
type client struct {
	http *http.Client
	next atomic.Uint32
}

// newClient returns a client that connects from 256 addresses, so that ports do not run out.
func newClient(from int) *client {
	c := &client{}
	dial := func(ctx context.Context, _, target string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(target)
		source := address(from + int(c.next.Add(1)%256))
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: source.AsSlice()}}
		return dialer.DialContext(ctx, "tcp4", net.JoinHostPort(address(kongAt).String(), port))
	}
	c.http = &http.Client{Timeout: answerWithin, Transport: &http.Transport{
		DialContext: dial, DisableKeepAlives: true, DisableCompression: true,
		// The certificates are the benchmark's own.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
	return c
}

// ask sends a request to Kong for a URL whose host is that of a route.
func (c *client) ask(ctx context.Context, url string) (a answer) {
	a.begun = time.Now()
	defer func() { a.ended = time.Now() }()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	response, err := c.http.Do(request)
	if err != nil {
		a.err = err
		return a
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a.err, a.status, a.worker = err, response.StatusCode, response.Header.Get(workerHeader)
	if a.endpoint, err = netip.ParseAddr(string(body)); err != nil {
		a.body = strings.TrimSpace(string(body))
	}
	if response.TLS != nil {
		a.serial = response.TLS.PeerCertificates[0].SerialNumber.String()
	}
	return a
}
