package route

import (
	"errors"
	"time"
)

// ErrRelayOff is the error of what only the relay can do where there is none.
var ErrRelayOff = errors.New("what the rule asks for is the relay's to do, and the setting RELAY_BIND_ADDRESS is off")

// Relay is what a rule asks for that Kong cannot do, and kube-sync's own proxy in the
// same pod does: Kong sends the rule's requests there.
type Relay struct {
	// Name is that of the rule's Kong service, Namespace that of the route.
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	// Key is how a request names the relay. Who does not read Kong's configuration
	// cannot know it.
	Key      string         `json:"key"`
	Backends []RelayBackend `json:"backends,omitempty"`
	// Request limits the time of a request with all its tries and the whole answer, Try
	// that of one try; 0 for no limit.
	Request time.Duration `json:"request,omitempty"`
	Try     time.Duration `json:"try,omitempty"`
	// Retry is nil where nothing is to be tried again but connecting.
	Retry *Retry `json:"retry,omitempty"`
	// Session is nil where requests of one client may go to different endpoints.
	Session *Session `json:"session,omitempty"`
	Mirrors []Mirror `json:"mirrors,omitempty"`
}

// RelayBackend has a share of the requests.
type RelayBackend struct {
	// Weight is 0 for one that takes no new sessions.
	Weight int `json:"weight"`
	// Targets are "host:port", with brackets around an IPv6 host; all are equal.
	Targets []string `json:"targets"`
	// TLS is nil for plain text.
	TLS *BackendTLS `json:"tls,omitempty"`
	// HTTP2 speaks nothing but HTTP/2, without TLS by prior knowledge.
	HTTP2 bool `json:"http2,omitempty"`
}

// BackendTLS is how a backend proves to be the one that is meant.
type BackendTLS struct {
	// Unverified takes whatever certificate it shows; nothing else is said then but what is
	// shown to it.
	Unverified bool `json:"unverified,omitempty"`
	// ServerName is what the backend is asked for.
	ServerName string `json:"serverName,omitempty"`
	// CAs are certificates in PEM that vouch for it; the system's if empty.
	CAs string `json:"cas,omitempty"`
	// Hosts and URIs are names of which its certificate has to have one; ServerName if
	// there are none of either.
	Hosts []string `json:"hosts,omitempty"`
	URIs  []string `json:"uris,omitempty"`
	// Depth is how many CA certificates may stand between its own and one of CAs; nil for
	// any number.
	Depth *int `json:"depth,omitempty"`
	// Certificate and Key, in PEM, are shown to it; they may be empty.
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"privateKey,omitempty"`
}

// Retry says which tries are followed by others.
type Retry struct {
	// Codes are statuses after which there is another try, as there is one after every
	// failure of the connection.
	Codes []int `json:"codes,omitempty"`
	// Attempts is the most of tries after the first.
	Attempts int `json:"attempts"`
	// Backoff is the least time between two.
	Backoff time.Duration `json:"backoff,omitempty"`
}

// Session has a client's requests go to the endpoint of its first one, as long as that is
// there.
type Session struct {
	// Name is that of a cookie, or of a header.
	Name   string `json:"name"`
	Header bool   `json:"header,omitempty"`
	// Salt is what tokens are made with: the same in all gateways, and nobody's to guess.
	Salt string `json:"salt"`
	// Lifetime limits a session; 0 for no limit.
	Lifetime time.Duration `json:"lifetime,omitempty"`
	// Permanent has a browser keep the cookie for the lifetime, also when it ends.
	Permanent bool `json:"permanent,omitempty"`
	// Path is that of the cookie.
	Path string `json:"path,omitempty"`
}

// Mirror gets copies of a share of the requests, Numerator out of Denominator.
type Mirror struct {
	// Name is that of the Service and port.
	Name        string       `json:"name"`
	Backend     RelayBackend `json:"backend"`
	Numerator   int          `json:"numerator"`
	Denominator int          `json:"denominator"`
}
