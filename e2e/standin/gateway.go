package standin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
	"github.com/kube-sync/kube-sync/e2e/standin/proxy"
	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

// drainTime is how long Close waits for open requests.
const drainTime = 5 * time.Second

// Config configures a gateway.
type Config struct {
	// Settings are Kong's settings, as [settings.Read] returns them.
	Settings settings.Settings
	// Log receives the gateway's log and the output of its plugin servers. The default
	// is slog.Default().
	Log *slog.Logger
}

// Gateway is a running stand-in.
type Gateway struct {
	settings settings.Settings
	log      *slog.Logger
	proxy    *proxy.Proxy
	plugins  []string

	applying sync.Mutex // one configuration at a time
	loaded   atomic.Pointer[loaded]

	servers   []*http.Server
	addresses map[string][]net.Addr // by setting
	failed    chan error            // what a listener died of

	stopPlugins   context.CancelFunc
	pluginServers sync.WaitGroup
	closing       sync.Once
	closed        chan struct{}
}

// loaded is the configuration in use.
type loaded struct {
	config *declarative.Config
	body   []byte
	hash   string
}

// Start starts a gateway. It runs until the context ends or Close is called.
func Start(ctx context.Context, c Config) (*Gateway, error) {
	g := &Gateway{
		settings: c.Settings, log: c.Log, plugins: c.Settings.Plugins(declarative.Bundled),
		addresses: map[string][]net.Addr{}, failed: make(chan error, 1), closed: make(chan struct{}),
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	if err := g.settings.Check(); err != nil {
		return nil, err
	}
	if unused := g.settings.Unused(); len(unused) > 0 {
		g.log.Info("settings without effect in the stand-in gateway", "settings", unused)
	}
	var err error
	if g.proxy, err = proxy.New(g.log); err != nil {
		return nil, err
	}
	g.proxy.TrustPorts = slices.Contains(g.plugins, declarative.Ports)
	g.restore()
	// The listeners are opened first, because that fails if another gateway has the same prefix.
	err = g.listen()
	if err == nil {
		err = g.settings.WriteEnv()
	}
	if err != nil {
		g.closeServers()
		return nil, err
	}
	g.startPluginServers()
	context.AfterFunc(ctx, g.Close)
	return g, nil
}

// listen opens all listeners before any of them serves.
func (g *Gateway) listen() error {
	admin, err := g.settings.Admin()
	if err != nil {
		return err
	}
	clients, err := g.settings.Proxy()
	if err != nil {
		return err
	}
	status, err := g.settings.Status()
	if err != nil {
		return err
	}
	var serve []func()
	for _, group := range []struct {
		addresses []settings.Address
		handler   func(settings.Address) http.Handler
	}{
		{clients, func(settings.Address) http.Handler { return g.proxy }},
		{admin, g.adminHandler},
		{status, func(settings.Address) http.Handler { return g.statusHandler() }},
	} {
		for _, a := range group.addresses {
			l, err := a.Listen()
			if err != nil {
				return err
			}
			serve = append(serve, g.server(a, l, group.handler(a)))
		}
	}
	for _, start := range serve {
		go start()
	}
	return nil
}

// server returns a function that serves a listener.
func (g *Gateway) server(a settings.Address, l net.Listener, h http.Handler) func() {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	g.servers = append(g.servers, s)
	g.addresses[a.Setting] = append(g.addresses[a.Setting], l.Addr())
	return func() {
		var err error
		if a.TLS {
			s.TLSConfig = g.proxy.TLS()
			err = s.ServeTLS(l, "", "")
		} else {
			err = s.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			select {
			case g.failed <- fmt.Errorf("listener %s (set by %s): %w", a.Address, a.Setting, err):
			default:
			}
		}
	}
}

// Addresses returns the addresses on which the gateway listens because of a setting, such as
// KONG_PROXY_LISTEN, in the setting's order.
func (g *Gateway) Addresses(setting string) []net.Addr { return g.addresses[setting] }

// Hash returns the hash of the configuration, as GET /status does.
func (g *Gateway) Hash() string { return g.loaded.Load().hash }

// Wait waits until the gateway is closed. It returns the error of a listener that failed.
func (g *Gateway) Wait() error {
	select {
	case err := <-g.failed:
		g.Close()
		return err
	case <-g.closed:
		return nil
	}
}

// Close ends the plugin servers, waits for open requests for a while, and closes everything.
func (g *Gateway) Close() {
	g.closing.Do(func() {
		g.stopPlugins()
		g.pluginServers.Wait()
		g.closeServers()
		close(g.closed)
	})
	<-g.closed
}

func (g *Gateway) closeServers() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range g.servers {
		all.Go(func() {
			if s.Shutdown(ctx) != nil {
				s.Close()
			}
		})
	}
	all.Wait()
	g.proxy.Close()
}
