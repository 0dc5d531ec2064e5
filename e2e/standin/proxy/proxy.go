package proxy

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// Proxy answers requests by its current table.
type Proxy struct {
	table atomic.Pointer[Table]
	log   *slog.Logger
	// trusting does not verify the certificates of upstreams, which is Kong's default.
	// verifying does.
	trusting, verifying *http.Transport
	fallback            *tls.Certificate

	// TrustPorts makes routes match the port on which a request arrived, and not that of the
	// Host header. In Kong the plugin kube-sync-ports does that.
	TrustPorts bool
}

// New returns a proxy without routes.
func New(log *slog.Logger) (*Proxy, error) {
	fallback, err := DefaultCertificate()
	if err != nil {
		return nil, err
	}
	p := &Proxy{log: log, fallback: fallback, trusting: transport(true), verifying: transport(false)}
	p.table.Store(NewTable(nil))
	return p, nil
}

// Use sets the table for all later requests.
func (p *Proxy) Use(t *Table) { p.table.Store(t) }

// Close closes idle connections to upstreams.
func (p *Proxy) Close() {
	p.trusting.CloseIdleConnections()
	p.verifying.CloseIdleConnections()
}

// TLS returns the configuration for listeners with TLS. The certificate depends on the
// server name and the current table.
func (p *Proxy) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if c := p.table.Load().Certificate(hello.ServerName); c != nil {
				return c, nil
			}
			return p.fallback, nil
		},
	}
}

// ServeHTTP routes and answers one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, id := p.table.Load(), requestID()
	e, match := t.route(p.question(r))
	if e == nil {
		answer(w, id, http.StatusNotFound, "no Route matched with those values")
		return
	}
	protocols := e.route.Protocols
	if r.TLS == nil && slices.Contains(protocols, "https") && !slices.Contains(protocols, "http") {
		insistOnTLS(w, r, id, e.route.RedirectStatusCode)
		return
	}
	switch {
	case len(e.foreign) > 0:
		answer(w, id, http.StatusNotImplemented, cannotRun(e.foreign))
	case e.answers != nil:
		answerAll(w, id, e.answers)
	case e.terminates != nil:
		terminate(w, id, e.terminates)
	case e.service == nil:
		answer(w, id, http.StatusServiceUnavailable, "no Service found with those values")
	case e.service.Protocol != "http" && e.service.Protocol != "https":
		answer(w, id, http.StatusNotImplemented, "the stand-in gateway cannot speak "+e.service.Protocol+": use Kong")
	default:
		p.forward(w, r, t, e, match, id)
	}
}

// route returns the first entry that matches.
func (t *Table) route(q *expression.Request) (*entry, expression.Match) {
	for _, e := range t.routes {
		if !slices.Contains(e.schemes, q.Protocol) {
			continue
		}
		if match, ok := e.route.Program.Eval(q); ok {
			return e, match
		}
	}
	return nil, expression.Match{}
}

// question returns the request for the router.
func (p *Proxy) question(r *http.Request) *expression.Request {
	host, port := expression.SplitHost(r.Host)
	q := &expression.Request{
		Protocol: "http", Method: r.Method, Host: host, Path: normalize(r.URL.EscapedPath()),
		Headers: make(map[string][]string, len(r.Header)), Queries: r.URL.Query(), DstPort: port,
	}
	if r.TLS != nil {
		q.Protocol, q.SNI = "https", r.TLS.ServerName
	}
	for name, values := range r.Header {
		q.Headers[strings.ToLower(name)] = values
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		q.SrcIP, q.SrcPort = from.Addr().Unmap(), int(from.Port())
	}
	if to, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		q.DstIP = to.AddrPort().Addr().Unmap()
		if q.DstPort == 0 || p.TrustPorts {
			q.DstPort = to.Port
		}
	}
	return q
}

func requestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func transport(trustAll bool) *http.Transport {
	return &http.Transport{
		DialContext:         dial,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: trustAll}, // nginx verifies no upstream unless told to
		DisableCompression:  true,                                      // bodies pass as they are
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     time.Minute,
	}
}
