package kubelet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	certutil "k8s.io/client-go/util/cert"
)

// serve starts the kubelet's API, which has logs only. Clients need a certificate of the cluster's authority.
func (k *Kubelet) serve() (port int32, err error) {
	config := rest.CopyConfig(k.options.Config)
	if err := rest.LoadTLSFiles(config); err != nil {
		return 0, fmt.Errorf("read the cluster's certificates: %w", err)
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(config.CAData) {
		return 0, errors.New("the client configuration has no certificate authority")
	}
	certPEM, keyPEM, err := certutil.GenerateSelfSignedCertKey(
		k.options.NodeName, []net.IP{net.ParseIP(k.options.HostIP)}, nil)
	if err != nil {
		return 0, fmt.Errorf("make the kubelet's certificate: %w", err)
	}
	certificate, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return 0, fmt.Errorf("read the kubelet's certificate: %w", err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(k.options.HostIP, "0"))
	if err != nil {
		return 0, fmt.Errorf("listen for the API server: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.containerLogs)
	k.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return k.ctx },
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    authority,
		},
	}
	go func() {
		if err := k.server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			k.log.Error("kubelet API ended", "error", err)
		}
	}()
	return int32(listener.Addr().(*net.TCPAddr).Port), nil
}

func (k *Kubelet) containerLogs(w http.ResponseWriter, r *http.Request) {
	options, err := parseLogOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c := k.container(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
	if c == nil {
		http.Error(w, "no such container", http.StatusNotFound)
		return
	}
	c.pod.mu.Lock()
	p := c.process
	c.pod.mu.Unlock()
	if p == nil || options.previous && p.number == 0 {
		http.Error(w, "the container has not run", http.StatusBadRequest)
		return
	}
	number, ended := p.number, p.done
	if options.previous {
		number, options.follow = number-1, false
	}
	log, err := os.Open(c.logFile(number))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer log.Close()
	if err := copyLog(r.Context(), flushing{w}, log, options, ended); err != nil {
		k.log.Warn("log not served", "container", c.spec.Name, "error", err)
	}
}

func (k *Kubelet) container(namespace, name, container string) *container {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.pods {
		if p.bound.Namespace != namespace || p.bound.Name != name {
			continue
		}
		for _, c := range p.containers() {
			if c.spec.Name == container {
				return c
			}
		}
	}
	return nil
}

func parseLogOptions(r *http.Request) (logOptions, error) {
	options := logOptions{tailLines: -1, limitBytes: -1}
	query := r.URL.Query()
	for name, value := range map[string]*bool{
		"follow": &options.follow, "previous": &options.previous, "timestamps": &options.timestamps,
	} {
		if text := query.Get(name); text != "" {
			parsed, err := strconv.ParseBool(text)
			if err != nil {
				return options, fmt.Errorf("%s: %w", name, err)
			}
			*value = parsed
		}
	}
	seconds := -1
	for name, value := range map[string]*int{
		"tailLines": &options.tailLines, "limitBytes": &options.limitBytes, "sinceSeconds": &seconds,
	} {
		if text := query.Get(name); text != "" {
			parsed, err := strconv.Atoi(text)
			if err != nil || parsed < 0 {
				return options, fmt.Errorf("%s: %q is not a number of them", name, text)
			}
			*value = parsed
		}
	}
	if text := query.Get("sinceTime"); text != "" {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return options, fmt.Errorf("sinceTime: %w", err)
		}
		options.since = parsed
	}
	if seconds >= 0 {
		options.since = time.Now().Add(-time.Duration(seconds) * time.Second)
	}
	return options, nil
}

// flushing sends each line at once.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(data []byte) (int, error) {
	n, err := f.ResponseWriter.Write(data)
	if err == nil {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return n, err
}
