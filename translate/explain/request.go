package explain

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/routing"
)

// Request is a request or a connection of a client.
type Request struct {
	// Scheme is "http" or "https", or "tcp", "tls" or "udp" for a stream.
	Scheme string
	// Host is the Host header without its port.
	Host string
	// Port is the port to which the client connects.
	Port int
	// Path is as sent, and Query is what follows the question mark.
	Path, Query string
	Method      string
	// SNI is the server name that a client over TLS sends; it may be empty.
	SNI    string
	Header http.Header
	// Source is the client's address; invalid if it is unknown.
	Source netip.Addr
	// Time is when the request is sent, for certificates; zero if it is unknown.
	Time time.Time
}

// defaultPorts are the ports of URLs without one.
var defaultPorts = map[string]int{"http": 80, "https": 443, "tls": 443}

// Parse returns the request that a client sends for a URL: a GET with the URL's host as the server
// name. A URL without a scheme is one of http.
func Parse(address string) (Request, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return Request{}, err
	}
	r := Request{Scheme: strings.ToLower(u.Scheme), Host: u.Hostname(), Query: u.RawQuery, Port: defaultPorts[strings.ToLower(u.Scheme)]}
	if !slices.Contains([]string{"http", "https", "tcp", "tls", "udp"}, r.Scheme) {
		return Request{}, fmt.Errorf("the scheme is http, https, tcp, tls or udp, not %q", u.Scheme)
	}
	if port := u.Port(); port != "" {
		if r.Port, err = strconv.Atoi(port); err != nil || r.Port < 1 || r.Port > 65535 {
			return Request{}, fmt.Errorf("port %s is not between 1 and 65535", port)
		}
	}
	switch {
	case r.Port == 0:
		return Request{}, fmt.Errorf("a URL with the scheme %s needs a port", r.Scheme)
	case r.Host == "":
		return Request{}, errors.New("the URL has no host")
	}
	if strings.HasPrefix(r.Scheme, "http") {
		r.Method, r.Path, r.Header = http.MethodGet, cmp.Or(u.EscapedPath(), "/"), http.Header{}
	}
	if _, err := netip.ParseAddr(r.Host); err != nil && (r.Scheme == "https" || r.Scheme == "tls") {
		r.SNI = r.Host
	}
	return r, nil
}

// ofRequests reports whether the scheme is one of requests, not of streams.
func (r Request) ofRequests() bool { return r.Scheme == "http" || r.Scheme == "https" }

// routed returns a request as the router sees it at a port of Kong.
func (r Request) routed(kongPort int) expression.Request {
	routed := expression.Request{Protocol: r.Scheme, SNI: r.SNI, SrcIP: r.Source, DstPort: kongPort}
	if !r.ofRequests() {
		if r.Scheme == "tcp" || r.Scheme == "udp" {
			routed.SNI = ""
		}
		return routed
	}
	if r.Scheme == "http" {
		routed.SNI = ""
	}
	routed.Method, routed.Host, routed.Path = r.Method, r.Host, routing.Normalized(r.Path)
	routed.Headers = map[string][]string{"host": {r.Host}}
	for name, values := range r.Header {
		routed.Headers[strings.ToLower(name)] = values
	}
	routed.Queries = queriesOf(r.Query)
	return routed
}

// queriesOf returns the parameters of a query as OpenResty reads them.
func queriesOf(query string) map[string][]string {
	all := map[string][]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = unescaped(name); name != "" {
			all[name] = append(all[name], unescaped(value))
		}
	}
	return all
}

// unescaped decodes what can be decoded, and keeps the rest.
func unescaped(text string) string {
	decoded, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return decoded
}

// asked returns the request for the answer.
func (r Request) asked(routed expression.Request) Asked {
	return Asked{Protocol: r.Scheme, Method: routed.Method, Host: r.Host, Port: r.Port, Path: routed.Path, SNI: routed.SNI}
}

// header returns the first value of a header.
func (r Request) header(name string) string { return r.Header.Get(name) }
