package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Options are the settings of a server.
type Options struct {
	// HealthAddress and MetricsAddress are "host:port", or "off". They may be equal.
	HealthAddress, MetricsAddress string
	// DataPlane is the address of the Admin API, a label of some metrics.
	DataPlane string
	// ProfilesAddress is where profiles of the process are served: a loopback address as "host:port",
	// or "off".
	ProfilesAddress string
	// Collectors have additional metrics.
	Collectors []prometheus.Collector
	Log        *slog.Logger
}

// Server answers probes and serves metrics. Its methods may be called from any goroutine.
type Server struct {
	*Metrics
	options Options
	ready   atomic.Bool
	reason  atomic.Value // string
	// warnings are additional lines of /readyz.
	warnings atomic.Pointer[string]
}

const (
	retryEvery = 100 * time.Millisecond
	// warnAfter is how long a port may be in use before the log says so. An older process that ends
	// releases its ports much sooner.
	warnAfter = 5 * time.Second
	warnEvery = time.Minute
)

// New returns a server that is not ready yet.
func New(options Options) *Server {
	s := &Server{Metrics: newMetrics(options.DataPlane), options: options}
	s.registry.MustRegister(options.Collectors...)
	s.SetReason("starting")
	return s
}

// Applied counts an apply that succeeded, as [Metrics.Applied] does, and makes the server ready.
func (s *Server) Applied(outcome gateway.Outcome, took time.Duration, changes map[unit.Kind]time.Time) {
	s.Metrics.Applied(outcome, took, changes)
	s.SetReady()
}

// SetReady makes /readyz succeed from now on.
func (s *Server) SetReady() { s.ready.Store(true) }

// SetReason sets what /readyz says as long as it fails.
func (s *Server) SetReason(reason string) { s.reason.Store(reason) }

// SetKong sets Kong's release, empty if it is unknown, and the warnings about it.
func (s *Server) SetKong(version string, warnings []string) {
	s.kong.Reset()
	s.kong.WithLabelValues(version, strconv.FormatBool(len(warnings) > 0)).Set(1)
	var lines strings.Builder
	for _, warning := range warnings {
		lines.WriteString("warning: " + warning + "\n")
	}
	text := lines.String()
	s.warnings.Store(&text)
}

// Ready reports whether SetReady was called.
func (s *Server) Ready() bool { return s.ready.Load() }

// Run serves until the context ends. It waits for a port that is in use; the log then names the
// port and its setting. It returns an error if waiting does not help.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if address := s.options.ProfilesAddress; address != "" {
		group.Go(func() error { return s.serve(ctx, "PPROF_BIND_ADDRESS", address, profiles()) })
	}
	health, metrics := s.options.HealthAddress, s.options.MetricsAddress
	if health == metrics {
		both := http.NewServeMux()
		both.Handle("/", s.Health())
		both.Handle("/metrics", s.metricsHandler())
		group.Go(func() error { return s.serve(ctx, "HEALTH_PROBE_BIND_ADDRESS", health, both) })
	} else {
		group.Go(func() error { return s.serve(ctx, "HEALTH_PROBE_BIND_ADDRESS", health, s.Health()) })
		group.Go(func() error { return s.serve(ctx, "METRICS_BIND_ADDRESS", metrics, s.metricsHandler()) })
	}
	return group.Wait()
}

// Health returns the handler of /healthz and /readyz.
func (s *Server) Health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s.Ready() {
			_, _ = io.WriteString(w, "ready\n")
			if warnings := s.warnings.Load(); warnings != nil {
				_, _ = io.WriteString(w, *warnings)
			}
			return
		}
		http.Error(w, "not ready: "+s.reason.Load().(string), http.StatusServiceUnavailable)
	})
	return mux
}

func (s *Server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	return mux
}

// profiles returns the handler of /debug/pprof.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func (s *Server) serve(ctx context.Context, setting, address string, handler http.Handler) error {
	if address == "off" {
		<-ctx.Done()
		return nil
	}
	listener, err := Listen(ctx, s.options.Log, setting, address)
	if listener == nil {
		return err
	}
	server := NewHTTPServer(handler, s.options.Log)
	stop := context.AfterFunc(ctx, func() {
		// Release the port at once, and give active requests a moment.
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(brief) != nil {
			server.Close()
		}
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("setting %s: serving on %s: %w", setting, address, err)
	}
	return nil
}

// NewHTTPServer returns a server with the bounds that all servers of kube-sync have.
func NewHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Listen waits until the address of a setting is free and listens there. It returns a nil listener
// if the context ends before that.
func Listen(ctx context.Context, log *slog.Logger, setting, address string) (net.Listener, error) {
	var config net.ListenConfig
	complain := time.Now().Add(warnAfter)
	for {
		listener, err := config.Listen(ctx, "tcp", address)
		switch {
		case err == nil:
			return listener, nil
		case ctx.Err() != nil:
			return nil, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return nil, fmt.Errorf("setting %s: %w", setting, err)
		}
		if time.Now().After(complain) {
			log.Error("A port is in use by another process", "setting", setting, "address", address, "error", err)
			complain = time.Now().Add(warnEvery)
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(retryEvery):
		}
	}
}
