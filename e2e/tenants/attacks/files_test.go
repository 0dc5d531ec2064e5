package attacks

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// forbiddenFile is a file that no plugin may write.
const forbiddenFile = "/tmp/tenants-forbidden"

// files are attacks on the gateway's files, environment, memory and code.
func files() []attack {
	return []attack{
		{
			name: "file-log writes to files",
			steps: []string{logTo("env", "PREFIX/.kong_env") + logTo("lmdb", "PREFIX/dbless.lmdb/data.mdb") + logTo("secret", "PREFIX/kube-sync.relay") +
				logTo("other", forbiddenFile) + logTo("climb", "/dev/stdout/../.."+forbiddenFile) + logTo("descriptor", "/proc/self/fd/2") + logTo("relative", "..")},
			told: []string{"Ingress attacker/env", "Ingress attacker/lmdb", "Ingress attacker/secret", "Ingress attacker/other", "Ingress attacker/climb",
				"Ingress attacker/descriptor", "Ingress attacker/relative"},
			requests: writesNoFile,
		}, {
			name:  "file-log writes to the standard output",
			steps: []string{logTo("stdout", "/dev/stdout")},
			requests: func(t *testing.T, w *world) {
				if a, err := w.do(http.MethodGet, "stdout.attacker.test", "/", false, nil); err != nil || a.status != http.StatusOK {
					t.Errorf("what is permitted is not there: %d, %v", a.status, err)
				}
			},
		}, {
			name: "grpc-gateway and grpc-web read a file",
			steps: []string{plugin(attacker, "read", "grpc-gateway", `{"proto": "/etc/passwd"}`) + plugin(attacker, "read-web", "grpc-web", `{"proto": "PREFIX/.kong_env"}`) +
				ingress(attacker, "read", "read.attacker.test", "/", "web", "plugins=read") +
				ingress(attacker, "read-web", "read-web.attacker.test", "/", "web", "plugins=read-web")},
			told: []string{"Ingress attacker/read", "Ingress attacker/read-web"},
			requests: func(t *testing.T, w *world) {
				for _, host := range []string{"read.attacker.test", "read-web.attacker.test"} {
					if a, err := w.do(http.MethodGet, host, "/", false, nil); err == nil && (a.status == http.StatusOK || strings.Contains(a.body, "root:")) {
						t.Errorf("%s: %d %.200s", host, a.status, a.body)
					}
				}
			},
		},
		sharedMemory("kong"), sharedMemory("kong_locks"), sharedMemory("kong_core_db_cache"), sharedMemory("kong_rate_limiting_counters"),
		sharedMemory("prometheus_metrics"), sharedMemory("kong_secrets"), sharedMemory("kube_sync_counters"),
		vaultReference("env", "the environment"), vaultReference("operator", "a vault of the operator"),
		{
			name: "a credential refers to the environment",
			steps: []string{consumer(attacker, "mallory", "mallory", []string{"vault"}) +
				credential(attacker, "vault", "key-auth", "key={vault://env/tenants-canary}")},
			requests: func(t *testing.T, w *world) {
				if a, err := w.do(http.MethodGet, "api.shop.test", "/keyed", false, map[string]string{"apikey": canaryValue}); err != nil || a.status != http.StatusUnauthorized {
					t.Errorf("the value of the environment is a key: %d, %v", a.status, err)
				}
			},
		}, {
			name: "a certificate refers to the environment",
			steps: []string{tlsSecret(attacker, "vault", "{vault://env/tenants-canary}", "{vault://env/tenants-canary}") +
				ingress(attacker, "vault", "vault.attacker.test", "/", "web") + "  tls: [{hosts: [vault.attacker.test], secretName: vault}]\n"},
			told: []string{"Ingress attacker/vault"},
		},
		customEntities(),
	}
}

func logTo(name, path string) string {
	return plugin(attacker, name, "file-log", `{"path": "`+path+`"}`) + ingress(attacker, name, name+".attacker.test", "/", "web", "plugins="+name)
}

// writesNoFile checks that file-log has not written to files of the gateway.
func writesNoFile(t *testing.T, w *world) {
	t.Helper()
	_ = os.Remove(forbiddenFile) // of an earlier run that was ended
	for _, name := range []string{"env", "lmdb", "secret", "other", "climb", "descriptor", "relative"} {
		for range 2 {
			_, _ = w.do(http.MethodGet, name+".attacker.test", "/written-by-file-log", false, nil)
		}
	}
	time.Sleep(300 * time.Millisecond)
	if _, err := os.Stat(forbiddenFile); err == nil {
		t.Errorf("%s is written", forbiddenFile)
		_ = os.Remove(forbiddenFile)
	}
	for _, name := range []string{".kong_env", "dbless.lmdb/data.mdb", "kube-sync.relay"} {
		text, err := os.ReadFile(filepath.Join(w.Prefix, name))
		if err == nil && bytes.Contains(text, []byte("written-by-file-log")) {
			t.Errorf("%s is written", name)
		}
	}
}

func sharedMemory(dictionary string) attack {
	return attack{
		name: "proxy-cache takes the shared memory " + dictionary,
		steps: []string{plugin(attacker, "cache", "proxy-cache", `{"strategy": "memory", "content_type": ["application/json"], "memory": {"dictionary_name": "`+dictionary+`"}}`) +
			ingress(attacker, "cache", "cache.attacker.test", "/", "web", "plugins=cache")},
		told: []string{"Ingress attacker/cache"},
	}
}

func vaultReference(vault, what string) attack {
	reference := "{vault://" + vault + "/tenants-canary}"
	if vault != "env" {
		reference = "{vault://" + vault + "/canary}"
	}
	return attack{
		name: "a plugin refers to " + what,
		steps: []string{plugin(attacker, "vault", "http-log", `{"http_endpoint": "http://`+collectorIP+`:`+backendPort+`/vault", "headers": {"x-secret": "`+reference+`"}}`) +
			plugin(attacker, "answers", "request-termination", `{"status_code": 200, "message": "`+reference+`"}`) +
			ingress(attacker, "vault", "vault.attacker.test", "/", "web", "plugins=vault") +
			ingress(attacker, "answers", "answers.attacker.test", "/", "web", "plugins=answers")},
		told: []string{"Ingress attacker/vault", "Ingress attacker/answers"},
		requests: func(t *testing.T, w *world) {
			for _, host := range []string{"vault.attacker.test", "answers.attacker.test"} {
				if a, err := w.do(http.MethodGet, host, "/", false, nil); err == nil && (a.status == http.StatusOK || strings.Contains(a.body, canaryValue)) {
					t.Errorf("%s: %d %.200s", host, a.status, a.body)
				}
			}
			time.Sleep(1200 * time.Millisecond)
			if w.collects(canaryValue) {
				t.Error("the value of the environment is sent")
			}
		},
	}
}

// customEntities are KongCustomEntities that a tenant may not create.
func customEntities() attack {
	a := attack{name: "custom entities that are not a tenant's"}
	manifests := ""
	for kind, fields := range map[string]string{
		"plugins":                `{"name": "request-termination", "config": {"status_code": 200, "message": "taken"}}`,
		"routes":                 `{"name": "taken", "expression": "http.path ^= \"/\"", "priority": 70368744177663}`,
		"services":               `{"name": "taken", "host": "127.0.0.1", "port": 8001}`,
		"consumers":              `{"username": "taken"}`,
		"keyauth_credentials":    `{"key": "taken", "consumer": {"username": "alice"}}`,
		"acls":                   `{"group": "members", "consumer": {"username": "bob"}}`,
		"certificates":           `{"cert": "x", "key": "y"}`,
		"snis":                   `{"name": "*"}`,
		"ca_certificates":        `{"cert": "x"}`,
		"upstreams":              `{"name": "web.shop.80.svc"}`,
		"targets":                `{"target": "10.245.2.1:8080", "upstream": {"name": "web.shop.80.svc"}}`,
		"vaults":                 `{"name": "env", "prefix": "taken"}`,
		"key_sets":               `{"name": "taken"}`,
		"keys":                   `{"name": "taken", "kid": "x", "jwk": "{}"}`,
		"workspaces":             `{"name": "default"}`,
		"parameters":             `{"key": "cluster_id", "value": "x"}`,
		"clustering_data_planes": `{}`,
		"filter_chains":          `{"filters": [{"name": "x"}]}`,
	} {
		name := strings.ReplaceAll(kind, "_", "-")
		manifests += customEntity(name, kind, fields, "")
		a.told = append(a.told, "KongCustomEntity attacker/"+name)
	}
	a.steps = []string{manifests}
	return a
}
