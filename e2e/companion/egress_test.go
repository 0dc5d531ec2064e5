package companion

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// request sends a request for a host to the proxy.
func (k *kong) request(host, method, path, body string, headers ...string) (int, string) {
	k.t.Helper()
	request, err := http.NewRequest(method, fmt.Sprintf("http://127.0.0.1:%d%s", k.proxy, path), strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	request.Host = host
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := fresh.Do(request)
	if err != nil {
		k.t.Fatalf("%s: %v\n%s", host, err, k.Complaints())
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// lead adds a service at a host, and a route whose name is also its host.
func (c config) lead(name, host string, port int) entity {
	c.put("services", entity{"id": id("s" + name), "name": name, "host": host, "port": port, "retries": 2, "connect_timeout": 2000})
	route := entity{"id": id("r" + name), "name": name, "service": id("s" + name), "expression": fmt.Sprintf("http.host == %q", name), "priority": 1}
	c.put("routes", route)
	return route
}

// TestEndpointsAreJudgedWhenConnectedTo sends requests to endpoints with denied addresses, given as
// addresses and as names, in services and in upstreams.
func TestEndpointsAreJudgedWhenConnectedTo(t *testing.T) {
	k, l, n := startGuarded(t)
	c := config{}
	denied := map[string]string{
		"literal": "127.0.0.1", "other": "127.0.0.4", "literal6": "[::1]", "mapped": "[::ffff:7f00:1]", "nat64": "[64:ff9b::7f00:1]", "any": "0.0.0.0",
		"localhost": "localhost", "named": "trap.test", "named6": "trap6.test", "metadata": "metadata.test", "unspecified": "unspecified.test", "mapped-name": "mapped.test",
	}
	for name, host := range denied {
		c.lead(name, host, l.port)
		c.lead("upstream-"+name, name+".svc", 80)
		c.put("upstreams", entity{"id": id("u" + name), "name": name + ".svc"})
		target := strings.Trim(host, "[]")
		if strings.Contains(target, ":") {
			target = "[" + target + "]"
		}
		c.put("targets", entity{"id": id("t" + name), "target": fmt.Sprintf("%s:%d", target, l.port), "upstream": id("u" + name), "weight": 100})
	}
	for name, host := range map[string]string{"friend": friend, "friend-named": "friend.test", "rebind": "rebind.test"} {
		c.lead(name, host, l.port)
	}
	k.load(c)
	for _, name := range []string{"friend", "friend-named", "rebind"} {
		if code, answer := k.request(name, http.MethodGet, "/", ""); code != http.StatusOK {
			t.Errorf("%s: %d %s\n%s", name, code, answer, k.Complaints())
		}
	}
	for name := range denied {
		for _, name := range []string{name, "upstream-" + name} {
			if code, answer := k.request(name, http.MethodGet, "/", ""); code != http.StatusServiceUnavailable {
				t.Errorf("%s: %d %s", name, code, answer)
			}
		}
	}
	// A name that first resolved to the friend resolves to a trap once its record has expired.
	n.rebound.Store(true)
	k.Eventually("rebinding", func() bool {
		code, _ := k.request("rebind", http.MethodGet, "/", "")
		return code == http.StatusServiceUnavailable
	})
	if reached := l.traps.Load(); reached > 0 {
		t.Errorf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
	}
	for _, says := range []string{
		"the endpoint 127.0.0.1 of service literal is a loopback address", "the endpoint 127.0.0.1 of service rebind is a loopback address",
		"the endpoint 169.254.169.254 of service metadata is a link-local address",
	} {
		if !strings.Contains(k.ReadLog(), says) {
			t.Errorf("the log does not say %q:\n%s", says, k.Complaints())
		}
	}
}

// TestStreamEndpointsAreJudged is the same for stream routes.
func TestStreamEndpointsAreJudged(t *testing.T) {
	k, l, _ := startGuarded(t)
	for i, tt := range []struct {
		host    string
		reached bool
	}{{friend, true}, {"friend.test", true}, {"127.0.0.1", false}, {"trap.test", false}, {"localhost", false}, {"[::ffff:7f00:1]", false}} {
		c := config{}
		c.put("services", entity{"id": id("s"), "name": fmt.Sprint("stream", i), "protocol": "tcp", "host": tt.host, "port": l.port, "retries": 0})
		c.put("routes", entity{"id": id("r"), "service": id("s"), "protocols": []string{"tcp"}, "expression": fmt.Sprintf("net.dst.port == %d", k.streams[0]), "priority": 1})
		k.load(c)
		before := l.friends.Load()
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.streams[0]))
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(answersWithin))
		_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		answer := make([]byte, 12)
		_, err = io.ReadFull(connection, answer)
		_ = connection.Close()
		if (err == nil) != tt.reached || (l.friends.Load() > before) != tt.reached {
			t.Errorf("%s: %q %v, want it reached: %t\n%s", tt.host, answer, err, tt.reached, k.Complaints())
		}
	}
	if reached := l.traps.Load(); reached > 0 {
		t.Errorf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
	}
}

// TestHealthChecksAreJudged makes Kong probe endpoints with denied addresses.
func TestHealthChecksAreJudged(t *testing.T) {
	k, l, _ := startGuarded(t)
	c := config{}
	for name, host := range map[string]string{"good": friend, "bad": "127.0.0.1", "named": "trap.test"} {
		c.lead(name, name+".svc", 80)
		c.put("upstreams", entity{"id": id("u" + name), "name": name + ".svc", "healthchecks": entity{
			"active": entity{"type": "http", "healthy": entity{"interval": 0.1, "successes": 1}, "unhealthy": entity{"interval": 0.1, "tcp_failures": 1}},
		}})
		c.put("targets", entity{"id": id("t" + name), "target": fmt.Sprintf("%s:%d", host, l.port), "upstream": id("u" + name), "weight": 100})
	}
	k.load(c)
	k.Eventually("probes of the friend", func() bool { return l.friends.Load() > 3 })
	k.Eventually("refused probes", func() bool {
		return strings.Count(k.ReadLog(), "connection refused by the gateway: 127.0.0.1 is a loopback address") > 3
	})
	if reached := l.traps.Load(); reached > 0 {
		t.Errorf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
	}
}

// TestGuardOutlivesWorkers sends requests right after a restart and after the end of all workers.
func TestGuardOutlivesWorkers(t *testing.T) {
	k, l, _ := startGuarded(t)
	c := config{}
	c.lead("trap", "trap.test", l.port)
	c.lead("friend", friend, l.port)
	k.load(c)
	ask := func(when string) {
		t.Helper()
		for range 20 {
			if code, answer := k.request("trap", http.MethodGet, "/", ""); code != http.StatusServiceUnavailable {
				t.Errorf("%s: %d %s", when, code, answer)
			}
		}
		if code, answer := k.request("friend", http.MethodGet, "/", ""); code != http.StatusOK {
			t.Errorf("%s: the friend answers %d %s", when, code, answer)
		}
	}
	ask("at first")
	k.Stop()
	k.Start()
	ask("after a restart")
	for _, pid := range k.Workers() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	k.Eventually("new workers", func() bool {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", k.proxy))
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil
	})
	ask("after the end of all workers")
	if reached := l.traps.Load(); reached > 0 {
		t.Errorf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
	}
}

// TestKongDoesNotStartWithoutTheGuard starts Kongs with other internals than the guard expects, and
// with invalid settings.
func TestKongDoesNotStartWithoutTheGuard(t *testing.T) {
	const registry = `
local found = debug.getregistry
debug.getregistry = function()
  local all = {}
  for key, value in pairs(found()) do
    if not (type(value) == "table" and rawget(value, %q)) then
      all[key] = value
    end
  end
  return all
end
`
	const next = `return dofile(package.searchpath("kong.plugins.kube-sync-delta.addresses", (package.path:gsub("^[^;]*;", ""))))`
	for name, tt := range map[string]struct{ before, setting, says string }{
		"TCP":      {fmt.Sprintf(registry, "setkeepalive"), "", "the methods of cosockets are not where they were"},
		"UDP":      {fmt.Sprintf(registry, "setpeername"), "", "the methods of cosockets are not where they were"},
		"balancer": {`require("kong").balancer = function() end `, "", "kong has no function balancer>set_current_peer"},
		"denied":   {"", "DENIED_ADDRESSES=10.0.0.0/8,shop", "take addresses and ranges, not shop"},
		"allowed":  {"", "ALLOWED_ADDRESSES=127.0.0.2,shop", "take addresses and ranges, not shop"},
	} {
		t.Run(name, func(t *testing.T) {
			overlay := t.TempDir()
			// The guard requires this module before it looks at Kong.
			module := filepath.Join(overlay, "kong", "plugins", "kube-sync-delta", "addresses.lua")
			if err := os.MkdirAll(filepath.Dir(module), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(module, []byte(tt.before+next), 0o644); err != nil {
				t.Fatal(err)
			}
			settings := []string{"KONG_PLUGINS=bundled,kube-sync-delta", "KONG_LUA_PACKAGE_PATH=" + kongtest.LuaPath(t, overlay)}
			if tt.setting != "" {
				settings = append(settings, "KONG_PLUGINSERVER_KUBE_SYNC_"+tt.setting)
			}
			err := kongtest.New(t, kongtest.Options{Settings: settings}).TryStart()
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want it to say %q", err, tt.says)
			}
		})
	}
}
