package datapath

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync"
	"time"

	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
)

// Options are the settings of a relay.
type Options struct {
	// Prefix is Kong's, where the relay keeps its secret.
	Prefix string
	// Address is "host:port" of loopback, or "off".
	Address string
	// Addresses decides which addresses are connected to.
	Addresses address.Policy
	// Memory is how many bytes of all bodies together are kept, to be sent once more.
	Memory int64
	Log    *slog.Logger
}

// Relay sends requests on as its rules say. Its methods may be called from any goroutine.
type Relay struct {
	*Metrics
	options Options
	table   table
	memory  *quota // bytes of bodies that are kept
	copies  *quota // mirrored requests under way
}

// New makes a relay without rules.
func New(o Options) *Relay {
	r := &Relay{Metrics: newMetrics(), options: o, memory: newQuota(o.Memory), copies: newQuota(maxCopies),
		table: table{log: o.Log}}
	r.table.transports.addresses.Store(&o.Addresses)
	return r
}

// SetProtected replaces the addresses that are denied because the cluster protects them.
func (r *Relay) SetProtected(protected address.Learned) {
	policy := r.options.Addresses
	policy.Learned = protected
	r.table.transports.addresses.Store(&policy)
}

// shutdownTimeout is how long requests under way have when the relay ends.
const shutdownTimeout = 2 * time.Second

// Place is where Kong finds the relay, and what keys are made with; empty for a relay that
// is off.
func (r *Relay) Place() (gatewayapi.Relay, error) {
	if r.options.Address == "off" {
		return gatewayapi.Relay{}, nil
	}
	address, err := netip.ParseAddrPort(r.options.Address)
	if err != nil {
		return gatewayapi.Relay{}, fmt.Errorf("the relay's address: %w", err)
	}
	secret, err := secret(r.options.Prefix)
	return gatewayapi.Relay{Address: address, Secret: secret}, err
}

// Run serves until the context ends. A port that is taken is tried again until it is free.
func (r *Relay) Run(ctx context.Context) error {
	if r.options.Address == "off" {
		<-ctx.Done()
		return nil
	}
	listener, err := serve.Listen(ctx, r.options.Log, "RELAY_BIND_ADDRESS", r.options.Address)
	if listener == nil {
		return err
	}
	return r.Serve(ctx, listener)
}

// Serve is Run with a listener.
func (r *Relay) Serve(ctx context.Context, listener net.Listener) error {
	// Kong decides how long a connection without requests is kept: a server that closed
	// one as Kong uses it again would fail a request.
	server := &http.Server{Handler: r, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute, IdleTimeout: -1,
		MaxHeaderBytes: 1 << 20, ErrorLog: slog.NewLogLogger(r.options.Log.Handler(), slog.LevelDebug)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // for gRPC
	stop := context.AfterFunc(ctx, func() {
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if server.Shutdown(brief) != nil {
			server.Close()
		}
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the relay at %s: %w", listener.Addr(), err)
	}
	return nil
}

// ServeHTTP sends a request to a backend of the rule that it names.
func (r *Relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	found := r.table.rule(takeKey(q.Header))
	if found == nil || len(found.backends) == 0 {
		refuse(w, http.StatusServiceUnavailable, "the gateway is not ready for this route")
		return
	}
	r.inFlight.Inc()
	defer r.inFlight.Dec()
	x := newExchange(r, found, q)
	defer x.end()
	// Without it net/http reads no more of an HTTP/1.1 request once its answer begins.
	_ = http.NewResponseController(w).EnableFullDuplex()
	// Without a type of content the server would guess one.
	w.Header()["Content-Type"] = nil
	proxy := httputil.ReverseProxy{
		Rewrite: rewrite, Transport: x, ErrorHandler: x.fail, FlushInterval: -1, BufferPool: buffers,
		ErrorLog: slog.NewLogLogger(r.options.Log.Handler(), slog.LevelDebug),
	}
	proxy.ServeHTTP(w, x.request)
}

// rewrite leaves a request as Kong made it.
func rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = values
		}
	}
}

// refuse answers as Kong does.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, message)
}

// pool lends the memory that answers are copied through.
type pool struct{ sync.Pool }

var buffers = &pool{sync.Pool{New: func() any { return new([32 << 10]byte) }}}

// Get implements [httputil.BufferPool].
func (p *pool) Get() []byte { return p.Pool.Get().(*[32 << 10]byte)[:] }

// Put implements [httputil.BufferPool].
func (p *pool) Put(b []byte) { p.Pool.Put((*[32 << 10]byte)(b)) }
