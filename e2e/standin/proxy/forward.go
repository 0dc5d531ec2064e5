package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// forward sends the request to the route's service.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, t *Table, e *entry, match expression.Match, id string) {
	strip := ""
	if e.route.StripPath {
		strip = match.Path
	}
	c := &call{
		service: e.service, balancer: t.upstreams[e.service.Host],
		preserveHost: e.route.PreserveHost, transport: p.trusting,
	}
	if e.service.TLSVerify {
		c.transport = p.verifying
	}
	proxy := httputil.ReverseProxy{
		Transport:     c,
		FlushInterval: -1, // as it comes
		ErrorLog:      slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL = target(e.service.Protocol, upstreamPath(e.service.Path, normalize(r.URL.EscapedPath()), strip), r.URL)
			setForwarded(pr, strip, id)
		},
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Add("Via", "1.1 "+Product)
			resp.Header.Set(requestIDHeader, id)
			if resp.Header.Get("Server") == "" {
				resp.Header.Set("Server", Product)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			p.log.Warn("request failed", "route", e.route.Name, "error", err)
			status, message := explain(err)
			answer(w, id, status, message)
		},
	}
	proxy.ServeHTTP(w, r)
}

// target is the URL for the service. Each try sets its host.
func target(scheme, path string, in *url.URL) *url.URL {
	u := &url.URL{Scheme: scheme, Path: path, RawPath: escape(path), RawQuery: in.RawQuery, ForceQuery: in.ForceQuery}
	if decoded, err := url.PathUnescape(u.RawPath); err == nil {
		u.Path = decoded
	}
	return u
}

// setForwarded sets the X-Forwarded headers. Like Kong by default, the stand-in trusts no
// proxy in front of it.
func setForwarded(pr *httputil.ProxyRequest, strip, id string) {
	in, out := pr.In, pr.Out.Header
	client, _, err := net.SplitHostPort(in.RemoteAddr)
	if err != nil {
		client = in.RemoteAddr
	}
	forwardedFor := client
	if before := in.Header.Get("X-Forwarded-For"); before != "" {
		forwardedFor = before + ", " + client
	}
	scheme := "http"
	if in.TLS != nil {
		scheme = "https"
	}
	if local, ok := in.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		out.Set("X-Forwarded-Port", strconv.Itoa(local.Port))
	}
	out.Set("X-Forwarded-For", forwardedFor)
	out.Set("X-Forwarded-Proto", scheme)
	out.Set("X-Forwarded-Host", hostOnly(in.Host))
	out.Set("X-Forwarded-Path", in.URL.EscapedPath())
	out.Set("X-Real-IP", client)
	out.Set(requestIDHeader, id)
	out.Add("Via", "1.1 "+Product)
	if strip != "" && strip != "/" {
		out.Set("X-Forwarded-Prefix", strip)
	}
}

// explain returns Kong's answer to a failure.
func explain(err error) (status int, message string) {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, errNoPeers):
		return http.StatusServiceUnavailable, "failure to get a peer from the ring-balancer"
	case errors.As(err, &dns):
		return http.StatusServiceUnavailable, "name resolution failed"
	case errors.Is(err, errReadTimeout), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusGatewayTimeout, "The upstream server is timing out"
	}
	return http.StatusBadGateway, "An invalid response was received from the upstream server"
}
