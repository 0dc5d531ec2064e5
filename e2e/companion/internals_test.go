package companion

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

const allPlugins = "KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-http,kube-sync-ports,kube-sync-mtls,kube-sync-request,kube-sync-router,kube-sync-tenants"

// without returns Lua code that makes parts of plugins require an internal that no Kong has.
func without(parts ...string) map[string]string {
	var code strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&code, "module[%q].modules.PDK = (module[%q].modules.PDK or '') .. ' gone'\n", part, part)
	}
	return map[string]string{"kong.kube_sync.internals_list": code.String()}
}

// TestMissingInternalsAreLogged starts a Kong in which every part that works without its internals
// lacks one of them.
func TestMissingInternalsAreLogged(t *testing.T) {
	k := overlaid(t, without("kube-sync-delta/deltas", "kube-sync-delta/server_name", "kube-sync-delta/secrets", "kube-sync-mtls/sessions",
		"kube-sync-request/examination", "kube-sync-request/streams", "kube-sync-router/index", "kube-sync-tenants/consumers"), allPlugins)
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
		"each request is compared with all routes",
		"tenants are not separated",
		"clients that resume a TLS session are refused where a certificate is required",
	} {
		k.Eventually(want, func() bool {
			if connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.tls), &tls.Config{InsecureSkipVerify: true}); err == nil { //nolint:gosec // Kong's own certificate
				_ = connection.Close()
			}
			return strings.Contains(k.ReadLog(), want+": PDK has no function gone")
		})
	}
}

// TestKongDoesNotStartWithoutInternals starts Kongs in which a part lacks an internal that it cannot do
// without.
func TestKongDoesNotStartWithoutInternals(t *testing.T) {
	for _, part := range []string{"kube-sync-delta/egress", "kube-sync-delta/patterns", "kube-sync-http/filters", "kube-sync-mtls/handshake", "kube-sync-ports/ports"} {
		t.Run(strings.ReplaceAll(part, "/", " "), func(t *testing.T) {
			err := kongtest.New(t, kongtest.Options{Settings: []string{allPlugins, "KONG_LUA_PACKAGE_PATH=" + overlay(t, without(part))}}).TryStart()
			if want := "plugin " + part + " does not work with this Kong: PDK has no function gone"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want it to say %q", err, want)
			}
		})
	}
}
