package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// patience is how long the right answer may take: Kong's workers use a configuration some time after
// Kong has acknowledged it. It is briefPatience where wrong answers do not matter: people may have
// changed the manifests.
const (
	patience      = time.Minute
	briefPatience = 5 * time.Second
)

// question is a request, and the answer that follows from the manifests.
type question struct {
	about string
	tls   bool
	host  string
	path  string

	status int
	answer string // what its first line has to be
	// certificate is the name that the certificate must have.
	certificate string
	// header is a further header of the request, and its value.
	header, value string
}

var questions = []question{
	{
		about: "an Exact path of Ingress shop/shop", host: "shop.example", path: "/cart",
		status: 200, answer: "shop got GET /cart",
	},
	{
		about: "a Prefix path of Ingress blog/blog", host: "blog.example", path: "/posts/42",
		status: 200, answer: "blog got GET /posts/42",
	},
	{
		about: "Ingress shop/checkout, which cuts its path off, over TLS with the certificate of Secret shop/shop-tls",
		tls:   true, host: "shop.example", path: "/checkout/pay",
		status: 200, answer: "shop got GET /pay", certificate: "shop.example",
	},
	{
		about: "HTTPRoute shop/api of Gateway shop/web", host: "api.example", path: "/orders/42",
		status: 200, answer: "shop got GET /orders/42",
	},
}

// shownHeaders are the headers that are printed as the backend received them.
var shownHeaders = []string{"Host", "X-Forwarded-Proto", "X-Forwarded-Path"}

// curl returns the command line that sends the request.
func (q question) curl(o *options) string {
	if q.tls {
		return fmt.Sprintf("curl -ik --connect-to ::%s https://%s%s", o.https.address(), q.host, q.path)
	}
	header := ""
	if q.header != "" {
		header = fmt.Sprintf(" -H '%s: %s'", q.header, q.value)
	}
	return fmt.Sprintf("curl -i -H 'Host: %s'%s http://%s%s", q.host, header, o.http.address(), q.path)
}

// askAll sends all requests and prints the answers.
func askAll(ctx context.Context, o *options) error {
	var wrong error
	for _, q := range questions {
		fmt.Fprintf(o.out, "# %s\n$ %s\n", q.about, q.curl(o))
		got, err := q.askPatiently(ctx, o)
		if err != nil {
			fmt.Fprintf(o.out, "  %v\n\n", err)
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", q.curl(o), err))
			continue
		}
		fmt.Fprintln(o.out, got)
	}
	return wrong
}

// askPatiently repeats a request until the answer is right.
func (q question) askPatiently(ctx context.Context, o *options) (string, error) {
	deadline := time.Now().Add(patience)
	if !o.once {
		deadline = time.Now().Add(briefPatience)
	}
	for {
		got, err := q.ask(ctx, o)
		if err == nil || time.Now().After(deadline) {
			return got, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ask sends one request over a new connection, and returns the answer to print.
func (q question) ask(ctx context.Context, o *options) (string, error) {
	scheme, address := "http", o.http.address()
	if q.tls {
		scheme, address = "https", o.https.address()
	}
	client := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
			// The certificate of the example is self-signed; its name is checked below.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+q.host+q.path, nil)
	if err != nil {
		return "", err
	}
	if q.header != "" {
		r.Header.Set(q.header, q.value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	return q.judge(resp, string(body))
}

// judge checks an answer.
func (q question) judge(resp *http.Response, body string) (string, error) {
	first, _, _ := strings.Cut(body, "\n")
	if resp.StatusCode != q.status || first != q.answer {
		return "", fmt.Errorf("got %s and %q, expected %d and %q", resp.Status, strings.Join(strings.Fields(body), " "), q.status, q.answer)
	}
	if q.certificate != "" {
		if err := resp.TLS.PeerCertificates[0].VerifyHostname(q.certificate); err != nil {
			return "", fmt.Errorf("got a wrong certificate: %w", err)
		}
	}
	var shown strings.Builder
	fmt.Fprintf(&shown, "%s %s\nVia: %s\n", resp.Proto, resp.Status, resp.Header.Get("Via"))
	fmt.Fprintf(&shown, "\n%s\n", first)
	for line := range strings.Lines(body) {
		if slices.ContainsFunc(shownHeaders, func(name string) bool { return strings.HasPrefix(line, name+": ") }) {
			shown.WriteString(line)
		}
	}
	shown.WriteString("...")
	return "  " + strings.ReplaceAll(shown.String(), "\n", "\n  ") + "\n", nil
}
