package standin

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const small = `{"_format_version": "3.0", "routes": [{"name": "r", "expression": "http.path ^= \"/\""}]}`

func TestHashAndReadiness(t *testing.T) {
	h := start(t, prefixOf(t))
	if status, message := h.status("/status/ready", "message"); status != 503 {
		t.Errorf("ready without a configuration: %v", message)
	}
	if _, hash := h.status("/status", "configuration_hash"); hash != emptyHash {
		t.Errorf("hash %v", hash)
	}
	h.load(small)
	if _, hash := h.status("/status", "configuration_hash"); hash != hashOf([]byte(small)) {
		t.Errorf("hash %v is not the body's", hash)
	}
	if status, message := h.status("/status/ready", "message"); status != 200 || message != "ready" {
		t.Errorf("not ready: %v", message)
	}
	if status, _ := h.post(small, "check_hash=1"); status != http.StatusNotModified {
		t.Errorf("the same configuration answered %d", status)
	}
	if status, _ := h.post(small, ""); status != http.StatusCreated {
		t.Errorf("the same configuration without check_hash answered %d", status)
	}
	h.load(`{"_format_version": "3.0"}`)
	if _, hash := h.status("/status", "configuration_hash"); hash != emptyHash {
		t.Errorf("hash %v of an empty configuration", hash)
	}
}

func TestInspection(t *testing.T) {
	h := start(t, prefixOf(t))
	h.load(small)
	if _, version := h.status("/", "version"); version != Version {
		t.Errorf("version %v", version)
	}
	if _, config := h.status("/config", "config"); !strings.Contains(fmt.Sprint(config), "name: r") {
		t.Errorf("config %v", config)
	}
	if _, data := h.status("/routes", "data"); len(data.([]any)) != 1 {
		t.Errorf("routes %v", data)
	}
	if status, _ := h.status("/nonsense", "message"); status != http.StatusNotFound {
		t.Errorf("nonsense answered %d", status)
	}
}

func TestRefusedConfigurationChangesNothing(t *testing.T) {
	prefix := prefixOf(t)
	h := start(t, prefix)
	h.load(small)
	status, answer := h.post(strings.Replace(small, "path", "nose", 1), "flatten_errors=1")
	if status != http.StatusBadRequest || answer["name"] != "invalid declarative configuration" {
		t.Errorf("got %d %v", status, answer)
	}
	if h.Hash() != hashOf([]byte(small)) {
		t.Errorf("hash %s", h.Hash())
	}
	if resp, _ := h.get("http://x/"); resp.StatusCode != 503 {
		t.Errorf("the route is gone: status %d", resp.StatusCode)
	}
}

func TestAdminOverTCPIsForbidden(t *testing.T) {
	h := start(t, prefixOf(t), "KONG_ADMIN_LISTEN=127.0.0.1:0", "KONG_NGINX_ADMIN_ALLOW=unix:; deny all")
	resp, err := http.Get("http://" + h.Addresses("KONG_ADMIN_LISTEN")[0].String() + "/status")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestConfigurationSurvivesARestart(t *testing.T) {
	prefix := prefixOf(t)
	config := oneBackend(backend(t, "b"), `- {name: r, service: s, expression: http.path ^= "/"}`)
	first := start(t, prefix)
	first.load(config)
	first.Close()
	second := start(t, prefix)
	if second.Hash() != hashOf([]byte(config)) {
		t.Errorf("hash %s after a restart", second.Hash())
	}
	if resp, body := second.get("http://x/"); resp.StatusCode != http.StatusOK {
		t.Errorf("got %d %s after a restart", resp.StatusCode, body)
	}
}

func TestRequestInFlightSurvivesAChange(t *testing.T) {
	arrived, proceed := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "one ")
		w.(http.Flusher).Flush()
		close(arrived)
		<-proceed
		io.WriteString(w, "two")
	}))
	defer slow.Close()
	h := start(t, prefixOf(t))
	h.load(oneBackend(slow.Listener.Addr().String(), `- {name: r, service: s, expression: http.path ^= "/"}`))
	answer := make(chan string)
	go func() {
		_, body := h.get("http://x/")
		answer <- body
	}()
	<-arrived
	h.load(`{"_format_version": "3.0"}`)
	if resp, _ := h.get("http://x/"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the new configuration is not in effect: status %d", resp.StatusCode)
	}
	close(proceed)
	if body := <-answer; body != "one two" {
		t.Errorf("got %q", body)
	}
}

func TestSlowServiceTimesOut(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	h := start(t, prefixOf(t))
	config := oneBackend(slow.Listener.Addr().String(), `- {name: r, service: s, expression: http.path ^= "/"}`)
	h.load(strings.Replace(config, "path: /}", "path: /, read_timeout: 50, retries: 1}", 1))
	if resp, body := h.get("http://x/"); resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}
