package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/kube-sync/kube-sync/plugin/inspect"
	"github.com/kube-sync/kube-sync/plugin/serve"
)

const (
	setting = "STATUS_PAGE_BIND_ADDRESS"
	// connections bounds the connections at once.
	connections = 128
	// answerWithin bounds the time of an answer, except for the stream of changes.
	answerWithin = 30 * time.Second
)

// policy is the content security policy of all pages.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed static
var static embed.FS

// Options are what a page shows, and where.
type Options struct {
	// Address is "host:port", or "off".
	Address   string
	Inspector *inspect.Inspector
	Log       *slog.Logger
}

// Run serves the page until the context ends.
func Run(ctx context.Context, o Options) error {
	if o.Address == "off" {
		<-ctx.Done()
		return nil
	}
	listener, err := serve.Listen(ctx, o.Log, setting, o.Address)
	if listener == nil {
		return err
	}
	o.Log.Info("The status page is served", "url", "http://"+listener.Addr().String()+"/")
	server := serve.NewHTTPServer(Handler(o.Inspector, loopback(listener.Addr())), o.Log)
	server.WriteTimeout = answerWithin
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(netutil.LimitListener(listener, connections)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("setting %s: serving on %s: %w", setting, o.Address, err)
	}
	return nil
}

func loopback(address net.Addr) bool {
	a, err := netip.ParseAddrPort(address.String())
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// Handler returns the handler of the page. With local, it refuses requests for hosts other than
// loopback.
func Handler(inspector *inspect.Inspector, local bool) http.Handler {
	v := views{inspector: inspector}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.overview)
	mux.HandleFunc("GET /routes", v.routes)
	mux.HandleFunc("GET /routes/{id}", v.route)
	mux.HandleFunc("GET /changes", v.changes)
	mux.HandleFunc("GET /events", v.events)
	mux.Handle("GET /static/", http.FileServerFS(static))
	mux.HandleFunc("GET /", v.missing)
	return guarded(mux, local)
}

// guarded adds the headers that keep the page apart from others, and refuses what the page does not
// answer.
func guarded(next http.Handler, local bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "the status page is read-only", http.StatusMethodNotAllowed)
		case local && !loopbackHost(r.Host):
			http.Error(w, "the status page on loopback answers requests for localhost only", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// loopbackHost reports whether a Host header names loopback.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
