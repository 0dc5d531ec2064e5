// Command echo is the backend of the end-to-end tests. Their kubelet knows it as the image kube-sync/echo.
//
// Over HTTP/1.1, and HTTP/2 with prior knowledge, it answers every request with an Echo in JSON: the pod's name
// and the request. Query parameters change the answer: `delay` (a duration), `status` and `header` ("Name:value"). GET /healthz is for
// probes; PUT /healthz?status=503 makes it answer with that status from then on.
//
// Messages of a WebSocket come back as "POD_NAME: MESSAGE". Each gRPC call, of any method and
// service, is answered with one message: the Echo in JSON.
//
// The environment configures it:
//
//	POD_NAME, POD_NAMESPACE, POD_IP   what it says about itself, from the downward API
//	BIND_ADDRESS                      the address of all listeners; every one by default
//	HTTP_PORT                         8080 by default
//	HTTPS_PORT                        the port for HTTPS with TLS_CERT_FILE and TLS_KEY_FILE, if set
//	TLS_CLIENT_CA_FILE                the CA of the client certificates that are required, if set
//	TCP_PORT, UDP_PORT                ports on which lines and datagrams come back as "POD_NAME: LINE", if set
//	TERM_DELAY                        2s by default
//
// After SIGTERM it goes on for TERM_DELAY, because gateways need a moment to learn that a pod is terminating. Then it
// finishes its requests and ends.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drainWithin bounds the time that accepted requests may take after TERM_DELAY.
const drainWithin = 20 * time.Second

func main() {
	if err := run(); err != nil {
		slog.Error("echo failed", "error", err)
		os.Exit(1)
	}
}

func run() error {
	delay, err := time.ParseDuration(env("TERM_DELAY", "2s"))
	if err != nil {
		return err
	}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	failed := make(chan error, 4)
	server := newServer()
	if err := listen(server, failed); err != nil {
		return err
	}
	slog.Info("listening", "pod", os.Getenv("POD_NAME"), "address", os.Getenv("POD_IP"))
	select {
	case err := <-failed:
		return err
	case <-terminated.Done():
	}
	slog.Info("terminating", "after", delay)
	time.Sleep(delay)
	ctx, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	err = server.Shutdown(ctx)
	slog.Info("terminated")
	return err
}

func newServer() *http.Server {
	server := &http.Server{Handler: newHandler(), ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server
}

// listen opens all ports before any is served, so that the program ends if a port is in use.
func listen(server *http.Server, failed chan<- error) error {
	var serve []func() error
	open := func(port string, start func(net.Listener) error) error {
		listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("BIND_ADDRESS"), port))
		if err == nil {
			serve = append(serve, func() error { return start(listener) })
		}
		return err
	}
	if err := open(env("HTTP_PORT", "8080"), server.Serve); err != nil {
		return err
	}
	if port := os.Getenv("HTTPS_PORT"); port != "" {
		clients, err := clientTLS(os.Getenv("TLS_CLIENT_CA_FILE"))
		if err != nil {
			return err
		}
		server.TLSConfig = clients
		err = open(port, func(listener net.Listener) error {
			return server.ServeTLS(listener, os.Getenv("TLS_CERT_FILE"), os.Getenv("TLS_KEY_FILE"))
		})
		if err != nil {
			return err
		}
	}
	if port := os.Getenv("TCP_PORT"); port != "" {
		if err := open(port, serveLines); err != nil {
			return err
		}
	}
	if port := os.Getenv("UDP_PORT"); port != "" {
		conn, err := net.ListenPacket("udp", net.JoinHostPort(os.Getenv("BIND_ADDRESS"), port))
		if err != nil {
			return err
		}
		serve = append(serve, func() error { return serveDatagrams(conn) })
	}
	for _, serve := range serve {
		go func() {
			if err := serve(); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		}()
	}
	return nil
}

// clientTLS requires client certificates of the CA in a file, if there is one.
func clientTLS(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	ca, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s has no certificate", file)
	}
	return &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, nil
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
