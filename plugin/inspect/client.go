package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer bounds the answers that a client reads, in bytes.
const maxAnswer = 64 << 20

// Client asks a running gateway through its socket.
type Client struct {
	path string
	http *http.Client
}

// NewClient returns a client for the socket of the Kong with a prefix.
func NewClient(prefix string) *Client {
	path := SocketPath(prefix)
	var dialer net.Dialer
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) },
	}}}
}

// Status returns the state of the gateway.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.Get(ctx, "/status", nil, &s)
}

// AwaitEffective returns nil once everything that the cluster has now is effective, or an error after
// a time that says what is missing.
func (c *Client) AwaitEffective(ctx context.Context, within time.Duration) error {
	return c.Get(ctx, "/wait", url.Values{"timeout": {within.String()}}, &struct{}{})
}

// Get reads the answer of a path of the API into a value.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	u := url.URL{Scheme: "http", Host: "kube-sync", Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("kube-sync does not answer at %s: %w", c.path, errors.Unwrap(err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		var said struct{ Message string }
		if json.Unmarshal(body, &said) != nil || said.Message == "" {
			said.Message = answer.Status
		}
		return errors.New(said.Message)
	}
	return json.Unmarshal(body, into)
}
