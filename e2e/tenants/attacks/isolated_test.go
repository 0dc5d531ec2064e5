package attacks

import (
	"net/http"
	"testing"
)

// TestTenantsIsolated runs attacks on an isolated gateway that a shared gateway permits: by consumers, which are known
// everywhere there, and by plugins that connect to other namespaces.
func TestTenantsIsolated(t *testing.T) {
	need(t)
	s := startServers(t)
	attackAll(t, s, map[string]string{"TENANCY": "isolated"}, append(isolated(), hostsOfOthers()...))
}

// isolated are attacks on an isolated gateway.
func isolated() []attack {
	connect := connects("plugins that connect", true, destination{host: collectorIP})
	ask := connect.requests
	connect.requests = func(t *testing.T, w *world) {
		ask(t, w)
		for i, c := range connecting {
			if w.isReached(firstReached + i) {
				t.Errorf("%s connects", c.plugin)
			}
		}
	}
	return []attack{
		{
			name: "a consumer of another namespace, with another's group",
			steps: []string{consumer(attacker, "mallory", "mallory", []string{"mallory-key", "member"}) +
				credential(attacker, "mallory-key", "key-auth", "key="+malloryKey) + credential(attacker, "member", "acl", "group=members") +
				plugin(attacker, "auth", "key-auth", `{"key_names": ["apikey"]}`) + ingress(attacker, "own", "own.attacker.test", "/", "web", "plugins=auth")},
			requests: func(t *testing.T, w *world) {
				for range 6 {
					for _, at := range []struct {
						host, path string
						status     int
					}{{"private.shop.test", "/", 401}, {"api.shop.test", "/keyed", 401}, {"optional.shop.test", "/", 401}, {"own.attacker.test", "/", 200}} {
						a, err := w.do(http.MethodGet, at.host, at.path, false, map[string]string{"apikey": malloryKey})
						if err != nil || a.status != at.status {
							t.Errorf("%s%s answers another namespace's consumer %d, not %d: %v", at.host, at.path, a.status, at.status, err)
						}
					}
				}
			},
		}, {
			name:  "a consumer that another namespace's anonymous requests could be taken for",
			steps: []string{consumer(attacker, "visitor", "visitor", nil)},
			requests: func(t *testing.T, w *world) {
				for range 6 {
					if a, err := w.do(http.MethodGet, "visited.shop.test", "/", false, nil); err != nil || a.status < 400 {
						t.Errorf("anonymous requests are taken for another namespace's consumer: %d, %v", a.status, err)
					}
				}
			},
		}, {
			name: "a consumer's own plugins",
			steps: []string{plugin(attacker, "answers", "request-termination", `{"status_code": 200, "message": "taken"}`) +
				keyed(attacker, "mallory", malloryKey, "plugins=answers")},
			requests: func(t *testing.T, w *world) {
				for range 6 {
					if a, err := w.do(http.MethodGet, "private.shop.test", "/", false, map[string]string{"apikey": malloryKey}); err != nil || a.status < 400 {
						t.Errorf("the consumer is let in: %d, %v", a.status, err)
					}
				}
			},
		},
		connect,
		pluginAttack("a template", "request-transformer", `{"add": {"headers": ["x:$(headers.y)"]}}`),
		pluginAttack("proxy-cache", "proxy-cache", `{"strategy": "memory", "content_type": ["application/json"]}`),
		pluginAttack("prometheus", "prometheus", `{}`),
		pluginAttack("file-log", "file-log", `{"path": "/dev/stdout"}`),
	}
}
