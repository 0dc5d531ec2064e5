package route

import (
	"errors"
	"time"
)

// ErrRelayOff is the error for features that need the relay when it is off.
var ErrRelayOff = errors.New("the rule needs the relay, but the setting RELAY_BIND_ADDRESS is off")

// Relay configures kube-sync's own proxy in the same pod for a rule that needs more than Kong can
// do. Kong sends the rule's requests there.
type Relay struct {
	// Name is the name of the rule's Kong service, and Namespace is the route's.
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	// Key is the secret by which a request names the relay. Only readers of Kong's configuration
	// know it.
	Key      string         `json:"key"`
	Backends []RelayBackend `json:"backends,omitempty"`
	// Request limits the time of a request with all attempts and the whole response, and Try that
	// of one attempt; 0 for no limit.
	Request time.Duration `json:"request,omitempty"`
	Try     time.Duration `json:"try,omitempty"`
	// Retry is nil if only failed connections are retried.
	Retry *Retry `json:"retry,omitempty"`
	// Session is nil if requests of one client may go to different endpoints.
	Session *Session `json:"session,omitempty"`
	Mirrors []Mirror `json:"mirrors,omitempty"`
}

// RelayBackend gets a share of the requests.
type RelayBackend struct {
	// Weight is 0 for a backend without new sessions.
	Weight int `json:"weight"`
	// Targets are "host:port", with brackets around an IPv6 host. All have equal weight.
	Targets []string `json:"targets"`
	// TLS is nil for plain text.
	TLS *BackendTLS `json:"tls,omitempty"`
	// HTTP2 uses only HTTP/2; without TLS, with prior knowledge.
	HTTP2 bool `json:"http2,omitempty"`
}

// BackendTLS is how the relay verifies a backend, and authenticates to it.
type BackendTLS struct {
	// Unverified accepts any certificate. Of the other fields, only Certificate and Key may be
	// set then.
	Unverified bool `json:"unverified,omitempty"`
	// ServerName is the name in the TLS handshake.
	ServerName string `json:"serverName,omitempty"`
	// CAs are the trusted CA certificates in PEM; the system's if empty.
	CAs string `json:"cas,omitempty"`
	// Hosts and URIs are names of which the certificate must have one; ServerName if both are
	// empty.
	Hosts []string `json:"hosts,omitempty"`
	URIs  []string `json:"uris,omitempty"`
	// Depth is the number of CA certificates allowed between the backend's and one of CAs; nil
	// for any number.
	Depth *int `json:"depth,omitempty"`
	// Certificate and Key are the client certificate in PEM; they may be empty.
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"privateKey,omitempty"`
}

// Retry says which attempts are repeated.
type Retry struct {
	// Codes are the statuses that are retried, in addition to connection failures.
	Codes []int `json:"codes,omitempty"`
	// Attempts is the maximum number of retries.
	Attempts int `json:"attempts"`
	// Backoff is the minimum time between two attempts.
	Backoff time.Duration `json:"backoff,omitempty"`
}

// Session sends all requests of a client to the endpoint of its first one, as long as that
// exists.
type Session struct {
	// Name is the name of a cookie, or of a header.
	Name   string `json:"name"`
	Header bool   `json:"header,omitempty"`
	// Salt keys the session tokens. It is the same in all gateways and secret.
	Salt string `json:"salt"`
	// Lifetime limits a session; 0 for no limit.
	Lifetime time.Duration `json:"lifetime,omitempty"`
	// Permanent makes browsers keep the cookie for the lifetime, even after they are closed.
	Permanent bool `json:"permanent,omitempty"`
	// Path is the cookie's path.
	Path string `json:"path,omitempty"`
}

// Mirror gets copies of a share of the requests, Numerator out of Denominator.
type Mirror struct {
	// Name is the name of the Service and port.
	Name        string       `json:"name"`
	Backend     RelayBackend `json:"backend"`
	Numerator   int          `json:"numerator"`
	Denominator int          `json:"denominator"`
}
