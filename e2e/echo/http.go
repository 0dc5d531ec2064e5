package main

import (
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Echo is the answer to a request.
type Echo struct {
	Pod       string      `json:"pod"`
	Namespace string      `json:"namespace"`
	IP        string      `json:"ip"`
	Protocol  string      `json:"protocol"`
	Method    string      `json:"method"`
	Host      string      `json:"host"`
	Path      string      `json:"path"`  // as it was sent, without the query
	Query     string      `json:"query"` // as it was sent
	Headers   http.Header `json:"headers"`
	TLS       *EchoTLS    `json:"tls,omitempty"`
}

// EchoTLS is the client's part of the handshake.
type EchoTLS struct {
	ServerName string   `json:"serverName"`
	ALPN       string   `json:"alpn"`
	Version    string   `json:"version"`
	ClientCNs  []string `json:"clientCNs,omitempty"` // common names of the client's certificates
}

func newHandler() http.Handler {
	var health atomic.Int32
	health.Store(http.StatusOK)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(health.Load())) })
	mux.HandleFunc("PUT /healthz", func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.FormValue("status"))
		if err != nil || status < 200 || status > 599 {
			http.Error(w, "status must be between 200 and 599", http.StatusBadRequest)
			return
		}
		health.Store(int32(status))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The mux would redirect paths such as //a. It gets its own paths only.
		if r.URL.Path == "/healthz" {
			mux.ServeHTTP(w, r)
			return
		}
		echo(w, r)
	})
}

func echo(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	status := http.StatusOK
	if value := query.Get("status"); value != "" {
		var err error
		if status, err = strconv.Atoi(value); err != nil || status < 200 || status > 599 {
			http.Error(w, "status must be between 200 and 599", http.StatusBadRequest)
			return
		}
	}
	if value := query.Get("delay"); value != "" {
		delay, err := time.ParseDuration(value)
		if err != nil {
			http.Error(w, "delay: "+err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			slog.Info("client went away", "path", r.URL.Path)
			return
		}
	}
	slog.Info("request", "method", r.Method, "path", r.URL.EscapedPath(), "host", r.Host, "status", status)
	switch {
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		messages.ServeHTTP(w, r)
		return
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		serveCall(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for _, field := range query["header"] {
		if name, value, ok := strings.Cut(field, ":"); ok {
			w.Header().Add(name, value)
		}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer(r))
}

func answer(r *http.Request) Echo {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	e := Echo{
		Pod: os.Getenv("POD_NAME"), Namespace: os.Getenv("POD_NAMESPACE"), IP: os.Getenv("POD_IP"),
		Protocol: r.Proto, Method: r.Method, Host: r.Host, Path: path, Query: query, Headers: r.Header,
	}
	if r.TLS != nil {
		e.TLS = &EchoTLS{
			ServerName: r.TLS.ServerName, ALPN: r.TLS.NegotiatedProtocol, Version: tls.VersionName(r.TLS.Version),
		}
		for _, cert := range r.TLS.PeerCertificates {
			e.TLS.ClientCNs = append(e.TLS.ClientCNs, cert.Subject.CommonName)
		}
	}
	return e
}
