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
	// Prefix is Kong's prefix. The relay keeps its secret there.
	Prefix string
	// Address is a loopback address as "host:port", or "off".
	Address string
	// Addresses decides which addresses the relay connects to.
	Addresses address.Policy
	// Memory is the maximum number of bytes of all bodies that are kept to be sent again.
	Memory int64
	Log    *slog.Logger
}

// Relay forwards requests as its rules say. Its methods may be called from any goroutine.
type Relay struct {
	*Metrics
	options Options
	table   table
	memory  *quota // bytes of kept bodies
	copies  *quota // concurrent copies
}

// New returns a relay without rules.
func New(o Options) *Relay {
	memory := newQuota(o.Memory)
	r := &Relay{Metrics: newMetrics(memory.amount), options: o, memory: memory, copies: newQuota(maxCopies),
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

// shutdownTimeout is how long active requests may take when the relay ends.
const shutdownTimeout = 2 * time.Second

// Place returns the address of the relay and the secret of its keys; the zero value if the relay is
// off.
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

// Run serves until the context ends. It waits for a port that is in use.
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

// Serve serves on a listener until the context ends.
func (r *Relay) Serve(ctx context.Context, listener net.Listener) error {
	// Kong closes idle connections. If the relay closed one just as Kong used it again, a request
	// would fail.
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

// ServeHTTP forwards a request to a backend of the rule that the request names.
func (r *Relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	found := r.table.rule(takeKey(q.Header))
	if found == nil || len(found.backends) == 0 {
		refuse(w, http.StatusServiceUnavailable, "the gateway is not ready for this route")
		return
	}
	r.inFlight.Inc()
	defer r.inFlight.Dec()
	began := time.Now()
	defer func() { r.duration.Observe(time.Since(began).Seconds()) }()
	x := newExchange(r, found, q)
	defer x.end()
	// Without it, net/http stops reading an HTTP/1.1 request when its answer starts.
	_ = http.NewResponseController(w).EnableFullDuplex()
	// Keep the server from guessing a content type.
	w.Header()["Content-Type"] = nil
	proxy := httputil.ReverseProxy{
		Rewrite: rewrite, Transport: x, ModifyResponse: r.answered, ErrorHandler: x.fail, FlushInterval: -1, BufferPool: buffers,
		ErrorLog: slog.NewLogLogger(r.options.Log.Handler(), slog.LevelDebug),
	}
	proxy.ServeHTTP(w, x.request)
}

// rewrite keeps a request as Kong made it.
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

// pool has the buffers through which answers are copied.
type pool struct{ sync.Pool }

var buffers = &pool{sync.Pool{New: func() any { return new([32 << 10]byte) }}}

// Get implements [httputil.BufferPool].
func (p *pool) Get() []byte { return p.Pool.Get().(*[32 << 10]byte)[:] }

// Put implements [httputil.BufferPool].
func (p *pool) Put(b []byte) { p.Pool.Put((*[32 << 10]byte)(b)) }
