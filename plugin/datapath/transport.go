package datapath

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/route"
)

// connectTimeout is Kong's own.
const connectTimeout = time.Minute

// transport is the connections to all endpoints that are spoken to in one way.
type transport struct {
	*http.Transport
	way   string
	users int
}

// transports are lent to rules, and shared by those that speak in the same way.
type transports struct {
	addresses atomic.Pointer[address.Policy]

	mu    sync.Mutex
	byWay map[string]*transport
}

// acquire lends a transport for a backend, until it is released.
func (t *transports) acquire(b route.RelayBackend) (*transport, error) {
	way, err := json.Marshal(struct {
		TLS   *route.BackendTLS
		HTTP2 bool
	}{b.TLS, b.HTTP2})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byWay == nil {
		t.byWay = map[string]*transport{}
	}
	found := t.byWay[string(way)]
	if found == nil {
		made, err := t.make(b)
		if err != nil {
			return nil, err
		}
		found = &transport{Transport: made, way: string(way)}
		t.byWay[found.way] = found
	}
	found.users++
	return found, nil
}

// release gives a transport back. What nobody uses any more is closed once it is idle.
func (t *transports) release(lent *transport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if lent.users--; lent.users == 0 {
		delete(t.byWay, lent.way)
		lent.CloseIdleConnections()
	}
}

func (t *transports) make(b route.RelayBackend) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: connectTimeout, Control: t.control}
	made := &http.Transport{
		DialContext:         dialer.DialContext,
		DisableCompression:  true, // nothing is asked for that the client did not ask for
		MaxIdleConnsPerHost: 512,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: 10 * time.Second,
		Protocols:           new(http.Protocols),
	}
	switch {
	case b.HTTP2 && b.TLS == nil:
		made.Protocols.SetUnencryptedHTTP2(true)
	case b.HTTP2:
		made.Protocols.SetHTTP2(true)
	default:
		made.Protocols.SetHTTP1(true)
	}
	if b.TLS != nil {
		config, err := tlsConfig(b.TLS)
		if err != nil {
			return nil, err
		}
		made.TLSClientConfig = config
	}
	return made, nil
}

// control refuses addresses that are denied, which a name may have turned out to be.
func (t *transports) control(_, endpoint string, _ syscall.RawConn) error {
	host, err := netip.ParseAddrPort(endpoint)
	if err != nil {
		return err
	}
	if what := t.addresses.Load().ReasonAt(host.Addr(), host.Port()); what != "" {
		return fmt.Errorf("%s is %s, which the gateway does not connect to", host.Addr(), what)
	}
	return nil
}

func tlsConfig(t *route.BackendTLS) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key))
		if err != nil {
			return nil, fmt.Errorf("the certificate to show: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if t.Unverified {
		config.InsecureSkipVerify = true //nolint:gosec // as Kong does it where nobody asks for more
		return config, nil
	}
	if t.ServerName == "" {
		return nil, errors.New("there is no name to verify by")
	}
	if t.CAs != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CAs)) {
			return nil, errors.New("none of the certificates to verify by can be read")
		}
	}
	switch {
	case len(t.Hosts)+len(t.URIs) > 0:
		// Go's own verification knows one name only, the one that is asked for. This
		// one is in its place, not beside it, and is for resumed connections, too.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error { return verify(state, config.RootCAs, t) }
	case t.Depth != nil:
		config.VerifyConnection = func(state tls.ConnectionState) error { return deep(state.VerifiedChains, t.Depth) }
	}
	return config, nil
}

// deep refuses chains all of which have more CA certificates than it may be between the
// backend's and one that is trusted; nil is for any number.
func deep(chains [][]*x509.Certificate, most *int) error {
	if most == nil || slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return len(chain)-2 <= *most }) {
		return nil
	}
	return fmt.Errorf("more than %d CA certificates stand between the backend's and one that is trusted", *most)
}

// verify checks that a certificate is vouched for and has one of the names.
func verify(state tls.ConnectionState, roots *x509.CertPool, t *route.BackendTLS) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the backend shows no certificate")
	}
	leaf := state.PeerCertificates[0]
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(options)
	if err != nil {
		return err
	}
	if err := deep(chains, t.Depth); err != nil {
		return err
	}
	for _, host := range t.Hosts {
		if leaf.VerifyHostname(host) == nil || slices.Contains(leaf.DNSNames, host) {
			return nil
		}
	}
	for _, uri := range leaf.URIs {
		if slices.Contains(t.URIs, uri.String()) {
			return nil
		}
	}
	return fmt.Errorf("the backend's certificate has none of the names %q and %q", t.Hosts, t.URIs)
}
