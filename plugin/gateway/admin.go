package gateway

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
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

var (
	// ErrUnreachable is the class of errors after which Kong may not even have
	// read the request.
	ErrUnreachable = errors.New("Kong's Admin API cannot be reached")
	// ErrBusy is the class of errors that pass: the same request may succeed later.
	// It is always a [*BusyError].
	ErrBusy = errors.New("Kong cannot take a configuration now")
	// ErrFailed is the class of errors that accuse what was sent: Kong failed over it, did
	// not answer in time, or closed the connection while it had the request.
	// It is always a [*FailedError].
	ErrFailed = errors.New("Kong failed over what was sent")
	// ErrTooLarge is the class of errors that only another setting of Kong cures.
	ErrTooLarge = errors.New("the configuration is too large for Kong")
)

// BusyError is an answer after which the request is to be repeated.
type BusyError struct {
	// Status is Kong's HTTP status; zero when there was no answer.
	Status int
	// RetryAfter is how long Kong asks to wait; zero when it does not say.
	RetryAfter time.Duration
	// Message has Kong's words.
	Message string
}

func (e *BusyError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%v: %s", ErrBusy, e.Message)
	}
	return fmt.Sprintf("%v (status %d): %s", ErrBusy, e.Status, e.Message)
}

// Is makes errors.Is(err, ErrBusy) true.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// FailedError is the end of a request that Kong had and did not answer by accepting or
// refusing it.
type FailedError struct {
	// Status is Kong's HTTP status; zero when there was no answer.
	Status int
	// Lost tells that the connection was lost, and not the time over.
	Lost bool
	// Within is how long Kong had, if its time was over.
	Within time.Duration
	// Message has Kong's words, or says how the connection ended.
	Message string
}

func (e *FailedError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%v: %s", ErrFailed, e.Message)
	}
	return fmt.Sprintf("%v (status %d): %s", ErrFailed, e.Status, e.Message)
}

// Is makes errors.Is(err, ErrFailed) true.
func (e *FailedError) Is(target error) bool { return target == ErrFailed }

// A full load takes Kong about a second for each MiB on an idle core.
const bytesPerSecond = 256 << 10

// allowance is how much longer a body of some size may take.
func allowance(size int) time.Duration { return time.Duration(size/bytesPerSecond) * time.Second }

// Answers are kept up to this size. Only refusals are ever kept.
const maxAnswer = 64 << 20

// Admin is a client of Kong's Admin API. It is safe for concurrent use.
type Admin struct {
	base    string
	address string
	timeout time.Duration
	// client makes a connection for each request. On a kept one, Kong closing it for its age
	// could not be told from a worker that died over the request, and the worker at its other
	// end may hang while others do not.
	client *http.Client
}

// NewAdmin makes a client for the Admin API at "unix:/path", "http://host:port"
// or "https://host:port". The timeout is for one request; a load gets a second
// more for each 256 KiB of its body.
func NewAdmin(address string, timeout time.Duration) (*Admin, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	admin := &Admin{address: address, timeout: timeout, client: &http.Client{Transport: transport}}

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
	// The certificate of a listener on our own loopback is one that Kong made up.
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "https" && ip != nil && ip.IsLoopback() {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above
	}
	admin.base = u.Scheme + "://" + u.Host
	return admin, nil
}

// Address is the address that the client was made for.
func (a *Admin) Address() string { return a.address }

// Hash asks Kong for the MD5 of the configuration that it holds, in hex. It is 32
// zeros when there is none.
func (a *Admin) Hash(ctx context.Context) (string, error) {
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

// Load makes body, a declarative configuration as JSON, the one that Kong holds.
// It is held when Load returns nil, also if it was held before. Errors:
// [*RefusedError] when Kong does not accept it, otherwise one of the classes
// [ErrBusy], [ErrFailed], [ErrTooLarge] and [ErrUnreachable], or one that will not pass.
func (a *Admin) Load(ctx context.Context, body []byte) error {
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

// refusal reads why Kong refused body. Kong's flattened errors lack those that it
// found by name rather than by position, such as a reference to nothing, so that
// an empty list is followed by a look at the errors as they were before.
func (a *Admin) refusal(ctx context.Context, first answer, body []byte) error {
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

// Check asks Kong whether it would accept body, without a change to what it holds.
// The body has to contain the entity that [probe] makes: its reference to nothing
// is what Kong looks at last, and refuses. Check returns nil when that is all that
// Kong refused, and otherwise an error as Load does.
func (a *Admin) Check(ctx context.Context, body []byte) error {
	answer, err := a.post(ctx, "/config", body)
	if err != nil {
		return err
	}
	err = answer.failure()
	refused, ok := errors.AsType[*RefusedError](err)
	if ok && len(refused.Entities) == 1 && refused.Entities[0].ID == probe.ID {
		return nil
	}
	return err
}

// post sends a configuration. As YAML, Kong takes the raw bytes and hashes them; as
// JSON it would parse them twice and hash something else.
func (a *Admin) post(ctx context.Context, path string, body []byte) (answer, error) {
	return a.send(ctx, path, asYAML, body, a.timeout)
}

const asYAML = "text/yaml"

// send posts a body. Once Kong has the request, an error accuses the body. The time for an
// answer to a small body is within.
func (a *Admin) send(parent context.Context, path, contentType string, body []byte, within time.Duration) (answer, error) {
	within += allowance(len(body))
	ctx, cancel := context.WithTimeout(parent, within)
	defer cancel()
	var had atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { had.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", contentType)
	got, err := do(a.client, req)
	switch {
	case err == nil:
		return got, nil
	case errors.Is(context.Cause(parent), errHung):
		return answer{}, &FailedError{Message: "a worker of Kong hangs over it"}
	case parent.Err() != nil || !had.Load():
		return answer{}, a.unreachable(err)
	case ctx.Err() != nil:
		return answer{}, &FailedError{Within: within, Message: fmt.Sprintf("there was no answer within %v", within)}
	}
	return answer{}, &FailedError{Lost: true, Message: fmt.Sprintf("the connection was lost before the answer, as when a worker of Kong ends: %v", err)}
}

func (a *Admin) get(ctx context.Context, path string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return answer{}, err
	}
	got, err := do(a.client, req)
	if err != nil {
		return answer{}, a.unreachable(err)
	}
	return got, nil
}

// answer is what Kong said. The body is kept unless the request succeeded with a
// repetition of what was sent.
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

func (a *Admin) unreachable(err error) error {
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, a.address, err)
}
