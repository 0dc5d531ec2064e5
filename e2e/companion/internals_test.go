package companion

import (
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

const allPlugins = "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-http,kube-sync-ports,kube-sync-mtls,kube-sync-request,kube-sync-tenants"

// without is Lua that has the parts of plugins ask for an internal that no Kong has.
func without(parts ...string) map[string]string {
	var code strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&code, "module[%q].modules.PDK = (module[%q].modules.PDK or '') .. ' gone'\n", part, part)
	}
	return map[string]string{"kong.kube_sync.internals_list": code.String()}
}

// TestMissingInternalsAreLogged starts a Kong in which every part that can do without its internals
// lacks one of them.
func TestMissingInternalsAreLogged(t *testing.T) {
	k := overlaid(t, without("kube-sync-delta/deltas", "kube-sync-delta/server_name", "kube-sync-delta/secrets", "kube-sync-mtls/sessions",
		"kube-sync-request/examination", "kube-sync-request/streams", "kube-sync-tenants/consumers"), allPlugins)
	c := empty()
	c.put("plugins", entity{"id": id("mtls"), "name": "kube-sync-mtls", "config": entity{"ports": []entity{{"port": k.tls, "required": false}}}})
	if code, message := k.post(c.body()); code != 201 {
		t.Fatalf("a full load: %d %s", code, message)
	}
	for _, want := range []string{
		"changes go through full loads only",
		"server names in capitals are served the default certificate",
		"a plugin whose secret is missing works with an empty one",
		"requests are not examined before they are routed",
		"the streams of namespaces are not counted",
		"tenants are not separated",
		"clients that resume a TLS session are refused where a certificate is required",
	} {
		k.eventually(want, func() bool {
			if connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.tls), &tls.Config{InsecureSkipVerify: true}); err == nil { //nolint:gosec // Kong's own certificate
				_ = connection.Close()
			}
			log, err := os.ReadFile(filepath.Join(k.prefix, "logs", "error.log"))
			return err == nil && strings.Contains(string(log), want+": PDK has no function gone")
		})
	}
}

// TestKongDoesNotStartWithoutInternals starts Kongs in which a part lacks an internal that nothing
// can replace.
func TestKongDoesNotStartWithoutInternals(t *testing.T) {
	if _, err := exec.LookPath("kong"); err != nil || testing.Short() {
		t.Skip("no Kong is started")
	}
	for _, part := range []string{"kube-sync-delta/egress", "kube-sync-delta/patterns", "kube-sync-http/filters", "kube-sync-mtls/handshake", "kube-sync-ports/ports"} {
		t.Run(strings.ReplaceAll(part, "/", " "), func(t *testing.T) {
			cmd := exec.Command("kong", "start")
			prefix := t.TempDir()
			cmd.Env = append(os.Environ(), "KONG_PREFIX="+prefix, "KONG_NGINX_USER=root root", "KONG_DATABASE=off", "KONG_ROUTER_FLAVOR=expressions",
				allPlugins, "KONG_LUA_PACKAGE_PATH="+overlay(t, without(part)), "KONG_ANONYMOUS_REPORTS=off", "KONG_STATUS_LISTEN=off", "KONG_ADMIN_GUI_LISTEN=off",
				fmt.Sprintf("KONG_PROXY_LISTEN=127.0.0.1:%d", freeport.Port(t)), fmt.Sprintf("KONG_ADMIN_LISTEN=127.0.0.1:%d", freeport.Port(t)))
			output, err := cmd.CombinedOutput()
			if err == nil {
				_ = exec.Command("kong", "stop", "-p", prefix).Run()
			}
			if want := "plugin " + part + " does not work with this Kong: PDK has no function gone"; err == nil || !strings.Contains(string(output), want) {
				t.Errorf("error %v, want it to say %q:\n%s", err, want, output)
			}
		})
	}
}
