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

// connectTimeout is Kong's default.
const connectTimeout = time.Minute

// transport has the connections to all endpoints with the same protocol and TLS configuration.
type transport struct {
	*http.Transport
	key   string
	users int
}

// transports are shared by the rules.
type transports struct {
	addresses atomic.Pointer[address.Policy]

	mu    sync.Mutex
	byKey map[string]*transport
}

// acquire returns a transport for a backend. The caller releases it.
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
	if t.byKey == nil {
		t.byKey = map[string]*transport{}
	}
	found := t.byKey[string(way)]
	if found == nil {
		made, err := t.make(b)
		if err != nil {
			return nil, err
		}
		found = &transport{Transport: made, key: string(way)}
		t.byKey[found.key] = found
	}
	found.users++
	return found, nil
}

// release returns a transport. If it is no longer used, its connections are closed once they are
// idle.
func (t *transports) release(lent *transport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if lent.users--; lent.users == 0 {
		delete(t.byKey, lent.key)
		lent.CloseIdleConnections()
	}
}

func (t *transports) make(b route.RelayBackend) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: connectTimeout, Control: t.control}
	made := &http.Transport{
		DialContext:         dialer.DialContext,
		DisableCompression:  true, // keep the client's Accept-Encoding
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

// control denies addresses when it connects, as a host name may resolve to a denied address.
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
			return nil, fmt.Errorf("the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if t.Unverified {
		config.InsecureSkipVerify = true //nolint:gosec // as Kong does by default
		return config, nil
	}
	if t.ServerName == "" {
		return nil, errors.New("there is no server name to verify")
	}
	if t.CAs != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CAs)) {
			return nil, errors.New("none of the CA certificates can be read")
		}
	}
	switch {
	case len(t.Hosts)+len(t.URIs) > 0:
		// Go verifies only the server name. VerifyConnection replaces that, for resumed connections,
		// too.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error { return verify(state, config.RootCAs, t) }
	case t.Depth != nil:
		config.VerifyConnection = func(state tls.ConnectionState) error { return checkDepth(state.VerifiedChains, t.Depth) }
	}
	return config, nil
}

// checkDepth returns an error if all chains have more than most CA certificates between the
// backend's certificate and a trusted one. If most is nil, any number is allowed.
func checkDepth(chains [][]*x509.Certificate, most *int) error {
	if most == nil || slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool { return len(chain)-2 <= *most }) {
		return nil
	}
	return fmt.Errorf("more than %d CA certificates are between the backend's and a trusted one", *most)
}

// verify checks that a certificate is trusted and has one of the names.
func verify(state tls.ConnectionState, roots *x509.CertPool, t *route.BackendTLS) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the backend has no certificate")
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
	if err := checkDepth(chains, t.Depth); err != nil {
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
