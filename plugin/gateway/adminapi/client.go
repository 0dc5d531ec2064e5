package adminapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kube-sync/kube-sync/translate/kong"
)

var (
	// ErrUnreachable is the class of errors after which it is unknown whether Kong read the request.
	ErrUnreachable = errors.New("Kong's Admin API cannot be reached")
	// ErrBusy is the class of temporary errors: the same request may succeed later. It is always a
	// [*BusyError].
	ErrBusy = errors.New("Kong cannot take a configuration now")
	// ErrFailed is the class of errors that the request body may have caused: Kong failed to process
	// it, did not answer in time, or closed the connection. It is always a [*FailedError].
	ErrFailed = errors.New("Kong failed to process what was sent")
	// ErrTooLarge is the class of errors that persist until a setting of Kong is changed.
	ErrTooLarge = errors.New("the configuration is too large for Kong")
)

// BusyError is an answer after which the caller repeats the request.
type BusyError struct {
	// Status is Kong's HTTP status; zero if there was no answer.
	Status int
	// RetryAfter is how long Kong asks to wait; zero if it does not say.
	RetryAfter time.Duration
	// Message has Kong's words.
	Message string
}

func (e *BusyError) Error() string { return describe(ErrBusy, e.Status, e.Message) }

// Is makes errors.Is(err, ErrBusy) true.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// FailedError reports a request that Kong received but neither accepted nor refused.
type FailedError struct {
	// Status is Kong's HTTP status; zero if there was no answer.
	Status int
	// Lost is true if the connection was lost, and false if Kong took too long.
	Lost bool
	// Within is the time limit that Kong exceeded; zero otherwise.
	Within time.Duration
	// Message has Kong's words, or says how the connection ended.
	Message string
}

func (e *FailedError) Error() string { return describe(ErrFailed, e.Status, e.Message) }

// Is makes errors.Is(err, ErrFailed) true.
func (e *FailedError) Is(target error) bool { return target == ErrFailed }

// describe returns the message of an error of a class. The status is zero if there was no answer.
func describe(class error, status int, message string) string {
	if status == 0 {
		return fmt.Sprintf("%v: %s", class, message)
	}
	return fmt.Sprintf("%v (status %d): %s", class, status, message)
}

// bytesPerSecond is a fourth of what Kong loads in a second on an idle core.
const bytesPerSecond = 256 << 10

// Allowance returns the additional time for a body of the given size in bytes.
func Allowance(size int) time.Duration { return time.Duration(size/bytesPerSecond) * time.Second }

// maxAnswer is the number of bytes that are kept of an answer. Only refusals are kept.
const maxAnswer = 64 << 20

// Client is a client of Kong's Admin API. It is safe for concurrent use.
type Client struct {
	base    string
	address string
	Timeout time.Duration
	// HTTP opens a connection for each request. If Kong closed a reused connection because of its
	// age, that would look like a worker crash. A reused connection may also lead to a worker that
	// hangs while others do not.
	HTTP *http.Client
}

// NewClient returns a client for the Admin API at "unix:/path", "http://host:port" or
// "https://host:port". The timeout is for one request; a request gets an additional second for each
// 256 KiB of its body.
func NewClient(address string, timeout time.Duration) (*Client, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	admin := &Client{address: address, Timeout: timeout, HTTP: &http.Client{Transport: transport}}

	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if path == "" {
			return nil, errors.New("Admin API address: unix: without a path")
		}
		dialer := &net.Dialer{}
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		admin.base = "http://kong"
		return admin, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("Admin API address %q: want unix:/path, http://host:port or https://host:port", address)
	}
	// Kong generates the certificate of a listener on loopback.
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "https" && ip != nil && ip.IsLoopback() {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	}
	admin.base = u.Scheme + "://" + u.Host
	return admin, nil
}

// Address returns the address that the client was made for.
func (a *Client) Address() string { return a.address }

// Hash returns the MD5 of the configuration that Kong holds, in hex. It is 32 zeros if there is
// none.
func (a *Client) Hash(ctx context.Context) (string, error) {
	answer, err := a.get(ctx, "/status")
	if err != nil {
		return "", err
	}
	if answer.status != http.StatusOK {
		return "", answer.failure()
	}
	var status struct {
		Hash string `json:"configuration_hash"`
	}
	if err := json.Unmarshal(answer.body, &status); err != nil {
		return "", fmt.Errorf("Kong's /status: %w", err)
	}
	if status.Hash == "" {
		return "", errors.New("Kong's /status has no configuration_hash: it needs database=off")
	}
	return status.Hash, nil
}

// Load makes Kong hold body, a declarative configuration as JSON. It also returns nil if Kong already
// held it. It returns a [*RefusedError] if Kong refuses body, and otherwise an error of class
// [ErrBusy], [ErrFailed], [ErrTooLarge] or [ErrUnreachable], or a permanent error.
func (a *Client) Load(ctx context.Context, body []byte) error {
	answer, err := a.post(ctx, "/config?check_hash=1&flatten_errors=1", body)
	if err != nil {
		return err
	}
	switch answer.status {
	case http.StatusOK, http.StatusCreated, http.StatusNotModified:
		return nil
	case http.StatusBadRequest:
		return a.refusal(ctx, answer, body)
	}
	return answer.failure()
}

// refusal returns why Kong refused body. Kong's flattened errors lack those that it finds by name
// and not by position, such as a reference to an entity that does not exist. If the list is empty,
// refusal asks for the errors in their original form.
func (a *Client) refusal(ctx context.Context, first answer, body []byte) error {
	err := first.failure()
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || len(refused.Entities) > 0 {
		return err
	}
	second, err := a.post(ctx, "/config?check_hash=1", body)
	if err != nil || second.status != http.StatusBadRequest {
		return refused
	}
	return second.failure()
}

// Check asks Kong whether it accepts body, without changing what Kong holds. The body must contain
// [Probe], whose broken reference Kong checks last and refuses. Check returns nil if Kong refused only
// Probe, and otherwise the errors of Load.
func (a *Client) Check(ctx context.Context, body []byte) error {
	answer, err := a.post(ctx, "/config", body)
	if err != nil {
		return err
	}
	err = answer.failure()
	refused, ok := errors.AsType[*RefusedError](err)
	if ok && len(refused.Entities) == 1 && refused.Entities[0].ID == Probe.ID {
		return nil
	}
	return err
}

// CheckFlattened asks Kong whether it accepts body, which has to contain [Probe], without changing what Kong holds.
// Unlike Check, it returns all refused entities except for Probe.
func (a *Client) CheckFlattened(ctx context.Context, body []byte) error {
	answer, err := a.post(ctx, "/config?flatten_errors=1", body)
	if err != nil {
		return err
	}
	err = answer.failure()
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.Entities = slices.DeleteFunc(refused.Entities, func(row RefusedEntity) bool { return row.ID == Probe.ID })
	}
	return err
}

// Probe is an entity that makes Kong refuse an otherwise valid configuration: the upstream that it
// refers to does not exist.
var Probe = &kong.Entity{
	Ref:  kong.Ref{Type: kong.Targets, ID: "6f1d2c5e-7a5b-5c1e-9d43-0c5a8f3b7e21"},
	Name: "127.0.0.1:1",
	JSON: []byte(`{"id":"6f1d2c5e-7a5b-5c1e-9d43-0c5a8f3b7e21","target":"127.0.0.1:1",` +
		`"upstream":"b7c9e0d4-3f62-5a8e-8b15-2d4e6f708192"}`),
}

// ErrHung is the cancellation cause that makes a request return a [*FailedError].
var ErrHung = errors.New("a worker hangs")

// post sends a configuration as YAML: Kong hashes the raw bytes of YAML, but parses JSON twice and
// hashes something else.
func (a *Client) post(ctx context.Context, path string, body []byte) (answer, error) {
	return a.send(ctx, path, asYAML, body, a.Timeout)
}

const asYAML = "text/yaml"

// send posts a body. If Kong received the request, the body may have caused the error. The parameter
// within limits the time for the answer to a small body; larger bodies get [Allowance] in addition.
func (a *Client) send(parent context.Context, path, contentType string, body []byte, within time.Duration) (answer, error) {
	within += Allowance(len(body))
	ctx, cancel := context.WithTimeout(parent, within)
	defer cancel()
	var had atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { had.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", contentType)
	got, err := do(a.HTTP, req)
	switch {
	case err == nil:
		return got, nil
	case errors.Is(context.Cause(parent), ErrHung):
		return answer{}, &FailedError{Message: "a worker of Kong hangs over it"}
	case parent.Err() != nil || !had.Load():
		return answer{}, a.unreachable(err)
	case ctx.Err() != nil:
		return answer{}, &FailedError{Within: within, Message: fmt.Sprintf("there was no answer within %v", within)}
	}
	return answer{}, &FailedError{Lost: true, Message: fmt.Sprintf("the connection was lost before the answer, as when a worker of Kong crashes: %v", err)}
}

func (a *Client) get(ctx context.Context, path string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return answer{}, err
	}
	got, err := do(a.HTTP, req)
	if err != nil {
		return answer{}, a.unreachable(err)
	}
	return got, nil
}

// answer is Kong's answer to a request. The body is dropped if it only repeats what was sent.
type answer struct {
	status     int
	retryAfter time.Duration
	server     string // the header Server
	body       []byte
}

func do(client *http.Client, req *http.Request) (answer, error) {
	resp, err := client.Do(req)
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		err = urlError.Err
	}
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()

	got := answer{status: resp.StatusCode, server: resp.Header.Get("Server")}
	if seconds, err := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64); err == nil && seconds > 0 {
		got.retryAfter = time.Duration(min(seconds, 60) * float64(time.Second))
	}
	if resp.StatusCode != http.StatusCreated {
		got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	}
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	return got, err
}

func (a *Client) unreachable(err error) error {
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, a.address, err)
}
