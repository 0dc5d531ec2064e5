package companion

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

const workers = 2

// kong is a running Kong with the companion.
type kong struct {
	*kongtest.Kong
	t testing.TB
	// Ports on loopback.
	proxy, tls, admin int
	streams           []int
	client            *http.Client
}

// start runs a Kong with the companion. Settings override those of the tests.
func start(t testing.TB, settings ...string) *kong {
	t.Helper()
	k := &kong{
		t: t, proxy: freeport.Port(t), tls: freeport.Port(t), admin: freeport.Port(t),
		streams: []int{freeport.Port(t), freeport.Port(t)},
		client:  &http.Client{Timeout: 3 * time.Minute},
	}
	k.Kong = kongtest.Start(t, kongtest.Options{Nice: true, Settings: append([]string{
		"KONG_PLUGINS=bundled,kube-sync-delta",
		fmt.Sprintf("KONG_PROXY_LISTEN=127.0.0.1:%d reuseport, 127.0.0.1:%d ssl reuseport", k.proxy, k.tls),
		fmt.Sprintf("KONG_STREAM_LISTEN=127.0.0.1:%d reuseport, 127.0.0.1:%d reuseport", k.streams[0], k.streams[1]),
		fmt.Sprintf("KONG_ADMIN_LISTEN=127.0.0.1:%d", k.admin),
		"KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=256m", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=256m",
		"KONG_NGINX_WORKER_PROCESSES=" + strconv.Itoa(workers), "KONG_MEM_CACHE_SIZE=128m", "KONG_LMDB_MAP_SIZE=2048m",
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true", "KONG_UNTRUSTED_LUA=on", "KONG_LOG_LEVEL=notice", "KONG_PROXY_ACCESS_LOG=off", "KONG_ADMIN_ACCESS_LOG=off",
	}, settings...)})
	return k
}

// answersWithin bounds the time until an answer, so that a test that hangs fails.
const answersWithin = 3 * time.Minute

func (k *kong) adminURL(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", k.admin, path)
}

// ask sends a request to the Admin API and decodes the answer into a T.
func ask[T any](k *kong, method, path, contentType string, body []byte) (int, T, http.Header) {
	k.t.Helper()
	var answer T
	request, err := http.NewRequest(method, k.adminURL(path), bytes.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := k.client.Do(request)
	if err != nil {
		k.t.Fatalf("%s %s: %v\n%s", method, path, err, k.Complaints())
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatalf("%s %s: %v", method, path, err)
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		k.t.Fatalf("%s %s: %d %v: %.300s", method, path, response.StatusCode, err, content)
	}
	return response.StatusCode, answer, response.Header
}

// answer is an answer of the companion or of POST /config.
type answer struct {
	Hash      string    `json:"hash"`
	Message   string    `json:"message"`
	Effective any       `json:"effective"`
	Ready     bool      `json:"ready"`
	Workers   int       `json:"workers"`
	Flattened []refusal `json:"flattened_errors"`
}

// refusal has Kong's errors of one entity.
type refusal struct {
	Type   string   `json:"entity_type"`
	ID     string   `json:"entity_id"`
	Name   string   `json:"entity_name"`
	Tags   []string `json:"entity_tags"`
	Rival  string   `json:"rival_id"`
	Errors []struct{ Type, Field, Message string }
}

// load replaces the whole configuration and waits until all workers have it.
func (k *kong) load(c config) {
	k.t.Helper()
	code, message := k.post(c.body())
	if code != http.StatusCreated {
		k.t.Fatalf("full load: %d %.1000s", code, message)
	}
	k.Eventually("the full load in all workers", func() bool { return k.status().Ready })
}

// post sends POST /config.
func (k *kong) post(body []byte) (int, string) {
	k.t.Helper()
	r, err := k.client.Post(k.adminURL("/config?check_hash=0&flatten_errors=1"), "text/yaml", bytes.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	message, err := io.ReadAll(r.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return r.StatusCode, string(message)
}

// status returns the companion's report on the workers.
func (k *kong) status() answer {
	k.t.Helper()
	code, status, _ := ask[answer](k, http.MethodGet, "/kube-sync/delta", "application/json", nil)
	if code != http.StatusOK {
		k.t.Fatalf("GET /kube-sync/delta: %d %+v", code, status)
	}
	return status
}

// apply sends a delta and waits until all workers have taken it over.
func (k *kong) apply(d delta) {
	k.t.Helper()
	code, answer := k.send(d, "?wait=60000")
	if code != http.StatusOK || answer.Hash != d.Hash || answer.Effective != true {
		k.t.Fatalf("delta: %d %+v\n%s\nstatus %+v\n%s", code, answer, d.json(), k.status(), k.Complaints())
	}
}

// send sends a delta.
func (k *kong) send(d delta, query string) (int, answer) {
	k.t.Helper()
	code, answer, _ := ask[answer](k, http.MethodPost, "/kube-sync/delta"+query, "application/json", d.json())
	return code, answer
}

func digest(content []byte) string {
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:])
}
