package kongconf_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// gateway is a Kong that runs with kong.conf.
type gateway struct {
	*kongtest.Kong
	t *testing.T
	// Addresses, "host:port".
	admin, status string
}

// TestKongRunsWithThis starts a real Kong with kong.conf, with nothing overridden but
// the prefix and the ports.
func TestKongRunsWithThis(t *testing.T) {
	g := prepare(t)
	g.Start()

	if code, _ := g.overTCP("http://" + g.admin + "/status"); code != http.StatusForbidden {
		t.Errorf("the Admin API answers %d over TCP, not 403", code)
	}
	if code, _ := g.overTCP("http://" + g.status + "/status"); code != http.StatusOK {
		t.Errorf("the Status API answers %d to the liveness probe", code)
	}
	g.kubeSyncIsStarted()
	if code, answer := g.overSocket(http.MethodGet, "/kube-sync/request", nil); code != http.StatusOK || !strings.Contains(answer, `"version":"3.`) || strings.Contains(answer, "problem") {
		t.Errorf("requests are not examined: %d %s", code, answer)
	}

	large := configuration(3000)
	if code, answer := g.load(large); code != http.StatusCreated {
		t.Fatalf("a configuration of %d MB: %d %s", len(large)>>20, code, answer)
	}
	g.Eventually("Kong serves the last route", func() bool { return g.routed(2999) })
	g.Quit()

	g.Start()
	g.Eventually("Kong is ready with the persisted configuration", func() bool {
		code, _ := g.overTCP("http://" + g.status + "/status/ready")
		return code == http.StatusOK
	})
	if !g.routed(2999) {
		t.Error("a restarted Kong does not have its last configuration")
	}
}

// prepare returns a Kong that is not started, with a setting for each address that kong.conf has.
func prepare(t *testing.T, settings ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, admin: freeport.Address(t), status: freeport.Address(t)}
	g.Kong = kongtest.New(t, kongtest.Options{Conf: "kong.conf", Settings: append([]string{
		"KONG_NGINX_PROXY_LISTEN=" + freeport.Address(t), "KONG_STREAM_LISTEN=" + freeport.Address(t) + " reuseport",
		"KONG_ADMIN_LISTEN=" + g.admin, "KONG_STATUS_LISTEN=" + g.status,
		"KONG_PLUGINSERVER_KUBE_SYNC_POD_NAME=gateway-0",
	}, settings...)})
	// In place of kube-sync, to see what it sees.
	g.Env = append(g.Env, "KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=/bin/sh -c 'env > "+g.Prefix+"/seen; exec sleep 600'")
	return g
}

// kubeSyncIsStarted waits until Kong has started the command that stands in for kube-sync.
func (g *gateway) kubeSyncIsStarted() {
	g.t.Helper()
	var seen []byte
	g.Eventually("Kong starts kube-sync", func() bool {
		var err error
		seen, err = os.ReadFile(filepath.Join(g.Prefix, "seen"))
		return err == nil && len(seen) > 0
	})
	for line := range strings.Lines(string(seen)) {
		if strings.HasPrefix(line, "KONG_") || strings.HasPrefix(line, "HOME=") {
			g.t.Errorf("kube-sync gets Kong's environment: %s", line)
		}
	}
	settings, err := os.ReadFile(filepath.Join(g.Prefix, ".kong_env"))
	if err != nil || !bytes.Contains(settings, []byte("pluginserver_kube_sync_pod_name = gateway-0\n")) {
		g.t.Errorf("kube-sync's settings are not in the prefix (%v):\n%s", err, settings)
	}
}

// load sends a configuration as kube-sync does.
func (g *gateway) load(body []byte) (code int, answer string) {
	return g.overSocket(http.MethodPost, "/config?check_hash=1&flatten_errors=1", body)
}

func (g *gateway) overSocket(method, path string, body []byte) (code int, answer string) {
	request, err := http.NewRequest(method, "http://kong"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "text/yaml")
	return read(g.Admin().Do(request))
}

func (g *gateway) overTCP(url string) (code int, answer string) {
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	return read(client.Get(url))
}

func read(answer *http.Response, err error) (int, string) {
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	start, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, string(start)
}

// routed reports whether Kong has the route with this number.
func (g *gateway) routed(n int) bool {
	_, answer := g.overTCP(fmt.Sprintf("http://%s/route-%d", g.Proxy, n))
	return strings.Contains(answer, fmt.Sprintf("this is %d", n))
}

// configuration has n routes, each answered by Kong itself, and 4 KiB of tags for each:
// more than Kong's own limit of 10 MB when n is 3000.
func configuration(n int) []byte {
	padding := strings.Repeat(`,"`+strings.Repeat("x", 125)+`"`, 32)
	var routes, plugins []string
	for i := range n {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		routes = append(routes, fmt.Sprintf(`{"id":%q,"name":"r%d","expression":"http.path == \"/route-%d\"","priority":1,"tags":["t%d"%s]}`,
			id, i, i, i, padding))
		plugins = append(plugins, fmt.Sprintf(`{"id":"10000000-0000-4000-8000-%012d","name":"request-termination","route":%q,"config":{"message":"this is %d"}}`,
			i, id, i))
	}
	return fmt.Appendf(nil, `{"_format_version":"3.0","routes":[%s],"plugins":[%s]}`, strings.Join(routes, ","), strings.Join(plugins, ","))
}
