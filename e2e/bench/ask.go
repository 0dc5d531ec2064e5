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
	// workerHeader is how Kong's workers tell themselves apart.
	workerHeader = "X-Worker"
	answerWithin = 30 * time.Second
)

// answer is what came back for one request.
type answer struct {
	begun, ended time.Time
	status       int
	worker       string // process id
	endpoint     netip.Addr
	serial       string // of the certificate that was shown
	body         string // if no endpoint answered
	err          error
}

// client asks Kong. Each request has a connection of its own, so that any worker may take it.
type client struct {
	http *http.Client
	next atomic.Uint32
}

// newClient asks from a block of 256 addresses, lest ports run out.
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
		// The certificates are of the benchmark's own making.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
	return c
}

// ask sends a request to a URL whose host is a route's; Kong's address is known.
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
