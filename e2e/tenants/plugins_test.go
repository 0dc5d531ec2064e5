package tenants

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// The route of a KongPlugin that names a file, the memory, the log, the credentials or an address of the gateway answers
// 503, and the verdict names the field. Nothing of the gateway changes.
func TestPluginsReachNothingOfTheGateway(t *testing.T) {
	s := newScene(t, translate.Options{Tenancy: tenancy.Options{Denied: func(a netip.Addr) bool { return a.IsLoopback() }}})
	settings := filepath.Join(s.Prefix, ".kong_env")
	before, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	s.apply(s.web("shop", "web", "shop.example"))
	for name, attack := range map[string]struct{ kind, config, field string }{
		"settings":   {"file-log", "{path: " + settings + "}", "config.path"},
		"proto":      {"grpc-gateway", "{proto: /etc/passwd}", "config.proto"},
		"device":     {"grpc-web", "{proto: /dev/stdin}", "config.proto"},
		"memory":     {"proxy-cache", "{strategy: memory, memory: {dictionary_name: kong}}", "config.memory.dictionary_name"},
		"log":        {"opentelemetry", "{logs_endpoint: 'http://192.0.2.1/'}", "config.logs_endpoint"},
		"account":    {"aws-lambda", "{function_name: f, aws_region: eu-central-1, host: 192.0.2.1}", "config.aws_key"},
		"admin":      {"http-log", "{http_endpoint: 'http://127.0.0.1:8001/config'}", "config.http_endpoint"},
		"socket":     {"rate-limiting", "{minute: 5, policy: redis, redis: {host: 'unix:" + s.Socket() + "'}}", "config.redis.host"},
		"everywhere": {"acme", "{account_email: a@b.example, tos_accepted: true}", "acme"},
	} {
		host := name + ".attacker.example"
		refused := s.apply(s.web("attacker", name, host, "konghq.com/plugins: "+name) + plugin("attacker", name, attack.kind, attack.config))
		if len(refused) > 0 {
			t.Errorf("%s: Kong was asked: %v", name, refused)
		}
		s.want(request{host: host}, http.StatusServiceUnavailable)
		if said := s.verdicts(unit.Key{Kind: unit.KongPlugin, Namespace: "attacker", Name: name}); !strings.Contains(said, attack.field) {
			t.Errorf("%s: %s", name, said)
		}
	}
	s.want(request{host: "shop.example"}, http.StatusOK)
	if after, err := os.ReadFile(settings); err != nil || string(after) != string(before) {
		t.Errorf("the gateway's settings changed: %v", err)
	}
}

// A plugin of a namespace may use the gateway's output, its own memory, and the values that the operator lists.
func TestPluginsWithinTheirLimits(t *testing.T) {
	logs := t.TempDir()
	s := newScene(t, translate.Options{Tenancy: tenancy.Options{Fields: []tenancy.FieldValue{{Plugin: "file-log", Field: "path", Value: logs + "/"}}}})
	for name, with := range map[string]struct{ kind, config string }{
		"out":    {"file-log", "{path: /dev/stdout}"},
		"listed": {"file-log", "{path: " + logs + "/shop.log}"},
		"cache":  {"proxy-cache", "{strategy: memory, content_type: [text/plain]}"},
		"keys":   {"aws-lambda", "{function_name: f, aws_region: eu-central-1, aws_key: a, aws_secret: b, host: 192.0.2.1, timeout: 10}"},
	} {
		host := name + ".shop.example"
		if refused := s.apply(s.web("shop", name, host, "konghq.com/plugins: "+name) + plugin("shop", name, with.kind, with.config)); len(refused) > 0 {
			t.Errorf("%s: %v", name, refused)
		}
		if said := s.verdicts(unit.Key{Kind: unit.KongPlugin, Namespace: "shop", Name: name}); !strings.HasPrefix(said, "Programmed") {
			t.Errorf("%s: %s", name, said)
		}
		if name != "keys" { // nobody is there
			s.want(request{host: host}, http.StatusOK)
		}
	}
	eventually.True(t, 5*time.Second, "the file that the operator permits has the request", func() bool {
		text, err := os.ReadFile(logs + "/shop.log")
		return err == nil && strings.Contains(string(text), "listed.shop.example")
	})
}

// A secret in the gateway's environment is available to plugins of the namespaces that its KongVault names, and to no
// other, whatever the reference.
func TestVaultsAreForTheirNamespaces(t *testing.T) {
	got := make(chan string, 1000)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.URL.Path + " " + r.Header.Get("x-secret")
	}))
	t.Cleanup(collector.Close)
	s := newScene(t, translate.Options{}, "SHOP_TOKEN=of-the-shop", "OPERATORS_TOKEN=of-the-operator")
	s.apply(`
apiVersion: configuration.konghq.com/v1alpha1
kind: KongVault
metadata: {name: shop, annotations: {kubernetes.io/ingress.class: kong, konghq.com/vault-namespaces: shop}}
spec: {backend: env, prefix: shop-vault, config: {prefix: SHOP_}}
`)
	use := func(namespace, name, reference string) request {
		host := name + "." + namespace + ".example"
		s.apply(s.web(namespace, name, host, "konghq.com/plugins: "+name) +
			plugin(namespace, name, "http-log", "{http_endpoint: '"+collector.URL+"/"+namespace+"/"+name+"', headers: {x-secret: '"+reference+"'}}"))
		return request{host: host}
	}
	s.want(use("shop", "token", "{vault://shop-vault/token}"), http.StatusOK)
	select {
	case secret := <-got:
		if secret != "/shop/token of-the-shop" {
			t.Fatalf("the shop's plugin has the secret %q", secret)
		}
	case <-time.After(3 * time.Minute):
		t.Fatal("the shop's plugin sends nothing")
	}
	for name, reference := range map[string]string{
		"theirs": "{vault://shop-vault/token}", "environment": "{vault://env/operators-token}", "user": "{vault://a@env/operators-token}",
	} {
		s.want(use("attacker", name, reference), http.StatusServiceUnavailable)
	}
	for name, reference := range map[string]string{
		"other-prefix": "{vault://shop-vault/token?prefix=OPERATORS_}", "environment": "{vault://env/operators-token}",
	} {
		s.want(use("shop", name, reference), http.StatusServiceUnavailable)
	}
	time.Sleep(time.Second) // what is sent is sent soon after a request
	close(got)
	for secret := range got {
		if secret != "/shop/token of-the-shop" {
			t.Errorf("sent: %q", secret)
		}
	}
}
