package cluster

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

func serviceAccount(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"token": "secret\n", "ca.crt": "a certificate"} {
		watchtest.Must(t, os.WriteFile(dir+"/"+name, []byte(content), 0o600))
	}
	return dir
}

func TestAccessOfAPod(t *testing.T) {
	dir := serviceAccount(t)
	for name, test := range map[string]struct{ host, port, server, want string }{
		"environment":        {"10.96.0.1", "443", "", "https://10.96.0.1:443"},
		"IPv6":               {"fd00::1", "443", "", "https://[fd00::1]:443"},
		"no environment":     {"", "", "", "https://kubernetes.default.svc"},
		"configured address": {"10.96.0.1", "443", "https://api.example:6443", "https://api.example:6443"},
	} {
		t.Setenv("KUBERNETES_SERVICE_HOST", test.host)
		t.Setenv("KUBERNETES_SERVICE_PORT", test.port)
		access := Access{Dir: dir, Server: test.server}
		config, err := access.RESTConfig()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if config.Host != test.want || config.BearerToken != "secret" || config.BearerTokenFile != dir+"/token" ||
			config.CAFile != dir+"/ca.crt" || config.UserAgent != "kube-sync" {
			t.Errorf("%s: %+v", name, config)
		}
	}
}

func TestAccessWithoutCredentials(t *testing.T) {
	if _, err := (Access{Dir: t.TempDir()}).RESTConfig(); err == nil || !strings.HasPrefix(err.Error(), "credentials of the pod: ") {
		t.Errorf("error %v", err)
	}
	if _, err := (Access{Kubeconfig: t.TempDir() + "/absent"}).RESTConfig(); err == nil || !strings.HasPrefix(err.Error(), "kubeconfig ") {
		t.Errorf("error %v", err)
	}
}

// Core objects are transferred as protobuf, and Secrets without their content.
func TestWireFormat(t *testing.T) {
	accepted := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accepted <- r.Header.Get("Accept")
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	c, err := New(Options{RESTConfig: &rest.Config{Host: server.URL}, Log: watchtest.Quiet()})
	watchtest.Must(t, err)
	_, _ = c.clients.Core.CoreV1().Services("shop").Get(t.Context(), "web", metav1.GetOptions{})
	if accept := <-accepted; !strings.HasPrefix(accept, "application/vnd.kubernetes.protobuf,") {
		t.Errorf("objects as %s", accept)
	}
	_, _ = c.clients.Metadata.Resource(secrets).List(t.Context(), metav1.ListOptions{})
	if accept := <-accepted; !strings.HasPrefix(accept, "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList") {
		t.Errorf("metadata as %s", accept)
	}
}

// An outage of the API server is logged once, and so is its end. The time of the last contact
// does not change meanwhile.
func TestContactWithTheAPIServer(t *testing.T) {
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	log := &watchtest.Log{}
	c, err := New(Options{RESTConfig: &rest.Config{Host: server.URL}, Log: log.Logger()})
	watchtest.Must(t, err)
	if !c.LastContact().IsZero() {
		t.Error("there was a contact before the first request")
	}
	get := func() {
		_, _ = c.clients.Core.CoreV1().Services("shop").Get(t.Context(), "web", metav1.GetOptions{})
	}
	before := time.Now()
	get()
	first := c.LastContact()
	if first.Before(before) {
		t.Errorf("last contact %v", first)
	}
	down.Store(true)
	get()
	get()
	if c.LastContact() != first || log.Count("cannot read from the cluster") != 1 {
		t.Errorf("last contact %v, first %v, log %s", c.LastContact(), first, log.String())
	}
	down.Store(false)
	get()
	get()
	if !c.LastContact().After(first) || log.Count("the cluster answers again") != 1 {
		t.Errorf("last contact %v, first %v, log %s", c.LastContact(), first, log.String())
	}
}
