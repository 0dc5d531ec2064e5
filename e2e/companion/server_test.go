package companion

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// manifestOf returns a Service and Ingresses of a namespace. An Ingress's name is in its host.
func manifestOf(namespace, path string, names ...string) string {
	all := fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: %s}\nspec: {ports: [{port: 80}]}\n", namespace)
	for _, name := range names {
		all += fmt.Sprintf(`---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  ingressClassName: kong
  rules:
  - host: %[2]s.%[1]s.test
    http: {paths: [{path: %[3]s, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}]}
`, namespace, name, path)
	}
	return all
}

// TestKubeSyncEndsWithAWorker has an Ingress over which a worker ends each time it is sent, often
// the worker that started kube-sync, with which kube-sync ends. The next kube-sync does not send the
// Ingress again, and an Ingress of another namespace changes with it and after it.
func TestKubeSyncEndsWithAWorker(t *testing.T) {
	kongtest.Need(t)
	dir := t.TempDir()
	binary := filepath.Join(dir, "kube-sync")
	if output, err := exec.Command("go", "build", "-o", binary, "../../plugin").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	manifests := filepath.Join(dir, "manifests")
	if err := os.Mkdir(manifests, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(manifests, name+".yaml")
		if err := os.WriteFile(file+".new", []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write("shop", manifestOf("shop", "/0", "web"))
	write("attacker", manifestOf("attacker", "/", "fine"))
	k := overlaid(t, map[string]string{"kong.db.declarative": `
local parse_table = module.parse_table
module.parse_table = function(self, input, ...)
  for _, route in ipairs(input.routes or {}) do
    if route.name:find("deadly") then die() end
  end
  return parse_table(self, input, ...)
end`}, "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-closed,kube-sync-tenants,kube-sync-http",
		"KONG_PLUGINSERVER_NAMES=kube-sync", "KONG_PLUGINSERVER_KUBE_SYNC_START_CMD="+binary, "KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD="+binary+" -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS="+manifests, "KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=off", "KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=off")
	served := func(namespace, name, path string) {
		t.Helper()
		k.Eventually(name+"."+namespace+".test"+path, func() bool {
			for range 4 { // the Service has no endpoints
				if wrong, _ := k.try(want{host: name + "." + namespace + ".test", path: path, code: http.StatusServiceUnavailable}); wrong != "" {
					return false
				}
			}
			return true
		})
	}
	served("shop", "web", "/0")
	served("attacker", "fine", "/")

	deaths := func() int {
		return strings.Count(k.ReadLog(), "exited on signal")
	}
	var times []time.Duration
	for round := range 6 {
		before, begun := deaths(), time.Now()
		path := fmt.Sprint("/", round+1)
		write("attacker", manifestOf("attacker", path, "fine", fmt.Sprint("deadly", round)))
		write("shop", manifestOf("shop", path, "web"))
		served("shop", "web", path)
		times = append(times, time.Since(begun))
		served("attacker", "fine", path)
		var pids []int
		k.Eventually("all workers", func() bool {
			ended := deaths()
			pids = k.Workers()
			return len(pids) == workers && k.ready() && slices.Equal(k.Workers(), pids) && deaths() == ended
		})
		for again := range 2 {
			path := fmt.Sprintf("/%d-%d", round+1, again)
			write("shop", manifestOf("shop", path, "web"))
			served("shop", "web", path)
		}
		if now := k.Workers(); !slices.Equal(now, pids) && time.Since(begun) < triedAgain {
			t.Errorf("round %d: workers were %v and are %v", round, pids, now)
		}
		if ended := deaths() - before; ended > 2 && time.Since(begun) < triedAgain {
			t.Errorf("round %d: %d workers ended", round, ended)
		}
	}
	slices.Sort(times)
	t.Logf("a change with it was effective within %v (p50) and %v (at most); %d workers ended over %d objects", times[len(times)/2], times[len(times)-1], deaths(), len(times))
}
