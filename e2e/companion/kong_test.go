package companion

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

const (
	nginx   = "/usr/local/openresty/nginx/sbin/nginx"
	workers = 2
)

// kong is a running Kong with the companion.
type kong struct {
	t      testing.TB
	prefix string
	env    []string
	master *exec.Cmd
	// Ports on loopback.
	proxy, tls, admin int
	streams           []int
	client            *http.Client
}

// start runs a Kong with the companion. Settings override those of the tests.
func start(t testing.TB, settings ...string) *kong {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		t.Skip("there is no kong on PATH: the companion is not tried on a real one")
	}
	prefix, err := os.MkdirTemp("", "companion")
	if err != nil {
		t.Fatal(err)
	}
	lua, err := filepath.Abs("../../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	k := &kong{
		t: t, prefix: prefix, proxy: freeport.Port(t), tls: freeport.Port(t), admin: freeport.Port(t),
		streams: []int{freeport.Port(t), freeport.Port(t)},
		client:  &http.Client{Timeout: 3 * time.Minute},
	}
	k.env = append(os.Environ(),
		"KONG_PREFIX="+prefix, "KONG_NGINX_USER=root root", "KONG_DATABASE=off", "KONG_ROUTER_FLAVOR=expressions",
		"KONG_PLUGINS=bundled,kube-sync-delta", "KONG_LUA_PACKAGE_PATH="+lua+"/?.lua;;",
		fmt.Sprintf("KONG_PROXY_LISTEN=127.0.0.1:%d reuseport, 127.0.0.1:%d ssl reuseport", k.proxy, k.tls),
		fmt.Sprintf("KONG_STREAM_LISTEN=127.0.0.1:%d reuseport, 127.0.0.1:%d reuseport", k.streams[0], k.streams[1]),
		fmt.Sprintf("KONG_ADMIN_LISTEN=127.0.0.1:%d", k.admin),
		"KONG_STATUS_LISTEN=off", "KONG_ADMIN_GUI_LISTEN=off", "KONG_ANONYMOUS_REPORTS=off",
		"KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=256m", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=256m",
		"KONG_NGINX_WORKER_PROCESSES="+strconv.Itoa(workers), "KONG_NGINX_DAEMON=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true", "KONG_UNTRUSTED_LUA=on", "KONG_LOG_LEVEL=notice", "KONG_PROXY_ACCESS_LOG=off", "KONG_ADMIN_ACCESS_LOG=off",
	)
	k.env = append(k.env, settings...)
	t.Cleanup(func() {
		k.stop()
		if t.Failed() || os.Getenv("COMPANION_LOG") != "" {
			t.Logf("Kong's log:\n%s", k.complaints())
		}
		_ = os.RemoveAll(prefix)
	})
	k.run()
	return k
}

// run starts Kong on the prefix as it is.
func (k *kong) run() {
	k.t.Helper()
	prepare := exec.Command("kong", "prepare", "-p", k.prefix)
	prepare.Env = k.env
	if output, err := prepare.CombinedOutput(); err != nil {
		k.t.Fatalf("kong prepare: %v\n%s", err, output)
	}
	k.master = exec.Command("nice", nginx, "-p", k.prefix, "-c", "nginx.conf")
	k.master.Env = k.env
	k.master.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := k.master.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.eventually("Kong's Admin API", func() bool {
		r, err := k.client.Get(k.adminURL("/status"))
		if err == nil {
			_ = r.Body.Close()
		}
		return err == nil && r.StatusCode == http.StatusOK
	})
}

func (k *kong) stop() {
	if k.master == nil {
		return
	}
	_ = k.master.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(20*time.Second, func() { _ = k.master.Process.Kill() })
	_ = k.master.Wait()
	kill.Stop()
	k.master = nil
}

// complaints are the lines of the log from warnings upwards, the last of them.
func (k *kong) complaints() string {
	log, err := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "[notice]") || strings.Contains(line, "[info]") ||
			strings.Contains(line, "no Route found") { // what the tests ask for
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines[max(0, len(lines)-15):], "")
}

// answersWithin is how long a test waits for an answer or a state, so that one that hangs fails.
const answersWithin = 3 * time.Minute

func (k *kong) eventually(what string, ok func() bool) {
	k.t.Helper()
	for deadline := time.Now().Add(answersWithin); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			k.t.Fatalf("%s: not within %v\n%s", what, answersWithin, k.complaints())
		}
	}
}

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
		k.t.Fatalf("%s %s: %v\n%s", method, path, err, k.complaints())
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

// answer is what the companion and POST /config say.
type answer struct {
	Hash      string    `json:"hash"`
	Message   string    `json:"message"`
	Effective any       `json:"effective"`
	Ready     bool      `json:"ready"`
	Workers   int       `json:"workers"`
	Flattened []refusal `json:"flattened_errors"`
}

// refusal is what Kong says of one entity.
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
	k.eventually("the full load in all workers", func() bool { return k.status().Ready })
}

// post is POST /config.
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

// status is what the companion says about the workers.
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
		k.t.Fatalf("delta: %d %+v\n%s\nstatus %+v\n%s", code, answer, d.json(), k.status(), k.complaints())
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
