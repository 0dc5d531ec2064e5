package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// Protocols other than plain requests over HTTP/1.1.
func TestProtocols(t *testing.T) {
	secure := freeport.Address(t)
	s := newScene(t, func(string) map[string]string { return map[string]string{"STREAM_LISTEN": secure + " ssl"} })
	s.gw.NeedKong()
	t.Run("WebSocket", s.webSocket)
	t.Run("GRPC", s.grpc)
	t.Run("RedirectToHTTPS", s.redirectToHTTPS)
	t.Run("ServerNames", func(t *testing.T) { s.serverNames(t, secure) })
	t.Run("TLSRoute", func(t *testing.T) { s.tlsRoute(t, secure) })
}

// An Ingress serves WebSockets. They stay open whatever changes in the configuration, including their own route.
func (s scene) webSocket(t *testing.T) {
	host := s.host("websocket")
	s.apply(t, withPlugins("websocket", host, "web", "socket-auth"), kongPlugin("socket-auth", "key-auth", "{}"),
		consumer("kim", "", "kim-key"), credential("kim-key", "key-auth", "key", s.ns+"-kim"))
	s.want(t, key(host, s.ns+"-kim"), http.StatusOK, nil)
	if conn, err := s.dialSocket(host, "guessed"); err == nil {
		conn.Close()
		t.Error("a WebSocket is opened without a key that counts")
	}
	conn, err := s.dialSocket(host, s.ns+"-kim")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	echo := func(text string) {
		t.Helper()
		var answer string
		if err := websocket.Message.Send(conn, text); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(conn, &answer); err != nil || !strings.HasPrefix(answer, "web-") || !strings.HasSuffix(answer, ": "+text) {
			t.Fatalf("%s is answered %q, %v", text, answer, err)
		}
	}
	echo("hello")
	s.remove(t, ingress("websocket", host, "/", "web"))
	s.want(t, key(host, s.ns+"-kim"), http.StatusNotFound, nil)
	echo("still there")
}

func (s scene) dialSocket(host, key string) (*websocket.Conn, error) {
	conn, err := net.DialTimeout("tcp", s.gw.HTTP, time.Minute)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	at := &url.URL{Scheme: "ws", Host: host, Path: "/", RawQuery: "apikey=" + key}
	socket, err := websocket.NewClient(&websocket.Config{Location: at, Origin: at, Version: websocket.ProtocolVersionHybi13}, conn)
	if err != nil {
		conn.Close()
	}
	return socket, err
}

// gRPC calls reach a gRPC backend, with and without TLS, including trailers. An Ingress for gRPC only does not answer
// other requests.
func (s scene) grpc(t *testing.T) {
	host := s.host("grpc")
	route := func(name, host, annotations string) string {
		return strings.Replace(annotatedIngress(name, host, "/package.Service", "konghq.com/protocols: grpc,grpcs\n"+annotations), "name: web, port", "name: calls, port", 1)
	}
	s.apply(t, facing("calls", "konghq.com/protocol: grpc"), route("calls", host, ""), route("closed", s.host("closed"), "konghq.com/plugins: call-auth"),
		kongPlugin("call-auth", "key-auth", "{}"), ingress("plain", s.host("plain"), "/", "web"))
	for _, origin := range []string{"https://" + s.gw.HTTPS, "http://" + s.gw.HTTP} {
		wantCall(t, origin, host, "/package.Service/Method", "0")
		wantCall(t, origin, s.host("closed"), "/package.Service/Method", "16") // unauthenticated
		wantCall(t, origin, host, "/other.Service/Method", "5")                // not found
	}
	// The connections to the pod use HTTP/2, and no plain request uses one of them.
	s.want(t, request{host: s.host("plain")}, http.StatusOK, func(_ *http.Response, e echoed) error { return same("protocol", e.Protocol, "HTTP/1.1") })
}

// wantCall waits until a call has a status and, if that is OK, the backend has received it unchanged.
func wantCall(t *testing.T, origin, host, method, status string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		got, e, err := call(origin, host, method)
		if err == nil {
			err = same("status of "+method, got, status)
		}
		if err == nil && status == "0" {
			err = same("what the backend sees", e.Method+" "+e.Path+" "+e.Protocol, "POST "+method+" HTTP/2.0")
		}
		return err
	})
}

// call makes a gRPC call with one message, and returns its status and the backend's message.
func call(origin, host, method string) (status string, e echoed, err error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{ServerName: host, InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sent, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+method, bytes.NewReader([]byte{0, 0, 0, 0, 2, 8, 1}))
	if err != nil {
		return "", e, err
	}
	sent.Host = host
	sent.Header.Set("Content-Type", "application/grpc")
	sent.Header.Set("Te", "trailers")
	response, err := transport.RoundTrip(sent)
	if err != nil {
		return "", e, err
	}
	defer response.Body.Close()
	frame, err := io.ReadAll(response.Body)
	if err != nil {
		return "", e, err
	}
	if status = response.Trailer.Get("Grpc-Status"); status == "" { // there is no message
		return response.Header.Get("Grpc-Status"), e, nil
	}
	if len(frame) < 5 || int(binary.BigEndian.Uint32(frame[1:])) != len(frame)-5 {
		return status, e, fmt.Errorf("%s %s is answered %q", origin, method, frame)
	}
	return status, e, json.Unmarshal(frame[5:], &e)
}

// An Ingress for HTTPS only redirects other requests, with its status and their path and query.
func (s scene) redirectToHTTPS(t *testing.T) {
	for status, annotations := range map[int]string{
		301: "konghq.com/protocols: https\nkonghq.com/https-redirect-status-code: '301'",
		308: "konghq.com/protocols: https\nkonghq.com/https-redirect-status-code: '308'",
		426: "konghq.com/protocols: https",
	} {
		name := fmt.Sprintf("redirect-%d", status)
		host := s.host(name)
		s.apply(t, annotatedIngress(name, host, "/", annotations))
		s.want(t, request{host: host, path: "/a%20b?c=d"}, status, func(response *http.Response, _ echoed) error {
			want := "https://" + host + "/a%20b?c=d"
			if status == 426 {
				want = ""
			}
			return same("location", response.Header.Get("Location"), want)
		})
		eventually.Nil(t, time.Minute, func() error {
			e, err := askAt("https://"+s.gw.HTTPS, http.MethodGet, host, "/a%20b?c=d")
			if err != nil {
				return err
			}
			return same("status and path over HTTPS", fmt.Sprint(e.StatusCode, " ", e.Path), "200 /a%20b")
		})
	}
}

// On one port, the server name chooses a backend for which the gateway terminates TLS, with the certificate of the
// name, or a backend that terminates TLS itself.
func (s scene) serverNames(t *testing.T, address string) {
	one, two, through := s.host("one"), s.host("two"), s.host("through")
	keys := map[string]pair{one: keyPair(one), two: keyPair(two), through: keyPair(through)}
	clients := newAuthority(nil, "nobody") // so that the pod has a file for the CA
	rule := func(host, service string, servicePort int) string {
		return fmt.Sprintf("{host: %s, port: %s, backend: {serviceName: %s, servicePort: %d}}", host, port(address), service, servicePort)
	}
	tcpIngress := func(name, annotations, spec string) string {
		return fmt.Sprintf("apiVersion: configuration.konghq.com/v1beta1\nkind: TCPIngress\nmetadata: {name: %s, annotations: {kubernetes.io/ingress.class: kong%s}}\nspec: {%s}\n",
			name, annotations, spec)
	}
	s.apply(t, streaming(deployment("first", 1)), streaming(deployment("second", 1)), keys[one].secret("one"), keys[two].secret("two"), keys[through].secret("server"),
		caObject("ConfigMap", "client-ca", rotatingCA+"09", clients.cert), secureApp, secureService("secure", "konghq.com/tags: through"),
		tcpIngress("ended", "", fmt.Sprintf("rules: [%s, %s], tls: [{hosts: [%s], secretName: one}, {hosts: [%s], secretName: two}]",
			rule(one, "first", 9000), rule(two, "second", 9000), one, two)),
		tcpIngress("through", ", konghq.com/protocols: tls_passthrough", "rules: ["+rule(through, "secure", 80)+"]"))
	for host, app := range map[string]string{one: "first-", two: "second-"} {
		eventually.Nil(t, time.Minute, func() error {
			answer, err := lineOverTLS(address, host, keys[host])
			if err == nil && !strings.HasPrefix(answer, app) {
				err = fmt.Errorf("%s is answered %q", host, answer)
			}
			return err
		})
	}
	wantCertificate(t, address, through, keys[through])
	if answer, err := lineOverTLS(address, s.host("nobody"), pair{}); err == nil {
		t.Errorf("a name that nobody has is answered %q", answer)
	}
}

// With TLS passthrough, clients get the pod's certificate for the server name. An unknown name is refused.
func (s scene) tlsRoute(t *testing.T, address string) {
	host := s.host("routed")
	key := keyPair(host)
	app := strings.NewReplacer("secretName: server}", "secretName: routed}", "name: secure}", "name: routed}", "app: secure}", "app: routed}").Replace(secureApp)
	service := strings.NewReplacer("name: secure", "name: routed", "app: secure", "app: routed").Replace(secureService("secure", "konghq.com/tags: routed"))
	s.apply(t, key.secret("routed"), caObject("ConfigMap", "client-ca", rotatingCA+"09", newAuthority(nil, "nobody").cert), app, service, fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: passing}
spec:
  gatewayClassName: kong
  listeners: [{name: tls, port: %s, protocol: TLS, tls: {mode: Passthrough}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: routed}
spec:
  parentRefs: [{name: passing}]
  hostnames: [%s]
  rules: [{backendRefs: [{name: routed, port: 80}]}]
`, port(address), host))
	wantCertificate(t, address, host, key)
	if _, err := lineOverTLS(address, "un"+host, key); err == nil {
		t.Error("a name of nobody's is let through")
	}
}

// lineOverTLS sends a line to a server with a name, verifies its certificate, and returns the answer.
func lineOverTLS(address, name string, certificate pair) (string, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(certificate.cert))
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{ServerName: name, RootCAs: roots}}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintln(conn, "hello"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}
