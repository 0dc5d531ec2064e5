package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// startBackend starts a server that answers with its name, and the path and the headers that it
// received.
func startBackend(name string, p port) (stop func(), err error) {
	l, err := p.listen()
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w (and in the manifest)", name, err)
	}
	s := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprintf(w, "%s got %s %s\n\nHost: %s\n", name, r.Method, r.URL.RequestURI(), r.Host)
			var headers []string
			for name, values := range r.Header {
				headers = append(headers, name+": "+strings.Join(values, ", "))
			}
			slices.Sort(headers)
			fmt.Fprintln(w, strings.Join(headers, "\n"))
		}),
	}
	go func() { _ = s.Serve(l) }() // ends with Close
	return func() { s.Close() }, nil
}
