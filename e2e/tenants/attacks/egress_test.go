package attacks

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// connecting are bundled plugins that connect to a host, with their configuration for a
// host and port.
var connecting = []struct {
	plugin string
	config func(host, port string) string
}{
	{"http-log", func(host, port string) string {
		return fmt.Sprintf(`{"http_endpoint": "http://%s/log"}`, join(host, port))
	}},
	{"tcp-log", func(host, port string) string { return fmt.Sprintf(`{"host": %q, "port": %s}`, host, port) }},
	{"udp-log", func(host, port string) string { return fmt.Sprintf(`{"host": %q, "port": %s}`, host, port) }},
	{"statsd", func(host, port string) string { return fmt.Sprintf(`{"host": %q, "port": %s}`, host, port) }},
	{"datadog", func(host, port string) string { return fmt.Sprintf(`{"host": %q, "port": %s}`, host, port) }},
	{"loggly", func(host, port string) string { return fmt.Sprintf(`{"host": %q, "port": %s, "key": "x"}`, host, port) }},
	{"zipkin", func(host, port string) string {
		return fmt.Sprintf(`{"http_endpoint": "http://%s/spans", "sample_ratio": 1}`, join(host, port))
	}},
	{"ldap-auth", func(host, port string) string {
		return fmt.Sprintf(`{"ldap_host": %q, "ldap_port": %s, "base_dn": "dc=x", "attribute": "cn", "timeout": 500, "header_type": "basic"}`, host, port)
	}},
	{"aws-lambda", func(host, port string) string {
		return fmt.Sprintf(`{"host": %q, "port": %s, "aws_region": "eu-central-1", "function_name": "f", "aws_key": "x", "aws_secret": "y", "disable_https": true, "timeout": 500}`, host, port)
	}},
	{"ai-proxy", func(host, port string) string {
		return fmt.Sprintf(`{"route_type": "llm/v1/chat", "auth": {"header_name": "x", "header_value": "y"}, "model": {"provider": "openai", "name": "x", "options": {"upstream_url": "http://%s/"}}}`, join(host, port))
	}},
	{"ai-request-transformer", func(host, port string) string {
		return fmt.Sprintf(`{"prompt": "x", "llm": {"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "x", "options": {"upstream_url": "http://%s/"}}}}`, join(host, port))
	}},
	{"rate-limiting", func(host, port string) string {
		return fmt.Sprintf(`{"minute": 5, "policy": "redis", "redis": {"host": %q, "port": %s, "timeout": 500}}`, host, port)
	}},
	{"response-ratelimiting", func(host, port string) string {
		return fmt.Sprintf(`{"limits": {"x": {"minute": 5}}, "policy": "redis", "redis": {"host": %q, "port": %s, "timeout": 500}}`, host, port)
	}},
}

func join(host, port string) string { return net.JoinHostPort(strings.Trim(host, "[]"), port) }

// firstReached is the collector's port for the first of the plugins. Each plugin has its own port.
const firstReached = 9100

// destination is an address to which plugins connect. Without a port, it is the plugin's port at the
// collector.
type destination struct{ host, port string }

// reaching returns a route and a plugin for each plugin and destination. The second result has their names, which
// are also the hosts before .attacker.test.
func reaching(all ...destination) (manifests string, names []string) {
	var text strings.Builder
	for i, to := range all {
		for j, c := range connecting {
			name, port := fmt.Sprintf("%s-%d", c.plugin, i), to.port
			if port == "" {
				port = strconv.Itoa(firstReached + j)
			}
			text.WriteString(plugin(attacker, name, c.plugin, c.config(to.host, port)) +
				ingress(attacker, name, name+".attacker.test", "/", "web", "plugins="+name))
			names = append(names, name)
		}
	}
	return text.String(), names
}

// connects is an attack by plugins that connect to destinations. Told says whether the plugins are rejected
// because of the addresses, and not only kept from connecting.
func connects(name string, told bool, all ...destination) attack {
	manifests, names := reaching(all...)
	a := attack{name: name, steps: []string{manifests}, requests: func(t *testing.T, w *world) { askAll(t, w, names) }}
	for _, name := range names {
		if told {
			a.told = append(a.told, "Ingress attacker/"+name)
		}
	}
	return a
}

// askAll sends requests to the routes of plugins, and waits because some plugins log later.
func askAll(t *testing.T, w *world, names []string) {
	t.Helper()
	w.forgetReached()
	for _, name := range names {
		for range 3 {
			a, err := w.post("http://"+name+".attacker.test/", `{"messages": [{"role": "user", "content": "x"}]}`, map[string]string{
				"Content-Type": "application/json", "Authorization": "Basic bWFsbG9yeTpwYXNz",
			})
			if err == nil && (strings.Contains(a.body, "configuration_hash") || strings.Contains(a.body, "kong_")) {
				t.Errorf("%s answers with what only the gateway knows: %.200s", name, a.body)
			}
		}
	}
	time.Sleep(1500 * time.Millisecond)
}

// egress are attacks by plugins that connect to denied addresses.
func egress() []attack {
	own := connects("plugins connect to a server of the attacker", false, destination{host: collectorIP})
	// These plugins do connect, so the other attacks would succeed without the guards.
	ask := own.requests
	own.requests = func(t *testing.T, w *world) {
		ask(t, w)
		for i, c := range connecting {
			eventually.Nil(t, answersWithin, func() error {
				if !w.isReached(firstReached + i) {
					return fmt.Errorf("%s does not connect to where it may", c.plugin)
				}
				return nil
			})
		}
	}
	return []attack{
		own,
		connects("plugins connect to loopback", true, destination{"127.0.0.1", trapPort}, destination{"[::1]", trapPort},
			destination{"::ffff:127.0.0.1", trapPort}, destination{"localhost", trapPort}),
		connects("plugins connect to the pod", true, destination{podIP, trapPort}),
		connects("plugins connect to metadata services", true, destination{metadata[0], "80"}, destination{metadata[1], "80"}, destination{metadata[2], "80"}),
		connects("plugins connect to names of these addresses", false, destination{nameOfLoopback, trapPort}, destination{nameOfPod, trapPort},
			destination{nameOfMetadata, "80"}, destination{nameThatMoves, trapPort}),
		connects("plugins connect to addresses in other spellings", false, destination{"127.1", trapPort}, destination{"2130706433", trapPort},
			destination{"0x7f000001", trapPort}, destination{"0177.0.0.1", trapPort}, destination{"0.0.0.0", trapPort}),
		{
			name: "aws-lambda asks the metadata service for its region",
			steps: []string{plugin(attacker, "region", "aws-lambda", `{"host": "`+collectorIP+`", "function_name": "f", "aws_key": "x", "aws_secret": "y", "timeout": 500}`) +
				ingress(attacker, "region", "region.attacker.test", "/", "web", "plugins=region")},
			requests: func(_ *testing.T, w *world) {
				for range 4 {
					_, _ = w.do(http.MethodGet, "region.attacker.test", "/", false, nil)
				}
			},
		}, {
			name: "azure-functions reads the gateway's ports",
			steps: []string{plugin(attacker, "azure", "azure-functions", `{"appname": "loopback", "hostdomain": "attacker.test", "functionname": "status", "https": false}`) +
				plugin(attacker, "spelled", "azure-functions", `{"appname": "127.0.0.1:`+statusPort+`/status?", "hostdomain": "x", "functionname": "f", "https": false}`) +
				ingress(attacker, "azure", "azure.attacker.test", "/", "web", "plugins=azure") +
				ingress(attacker, "spelled", "spelled.attacker.test", "/", "web", "plugins=spelled")},
			told: []string{"Ingress attacker/spelled"},
			requests: func(t *testing.T, w *world) {
				for _, host := range []string{"azure.attacker.test", "spelled.attacker.test"} {
					for range 4 {
						if a, err := w.do(http.MethodGet, host, "/", false, nil); err == nil && (a.status == http.StatusOK || strings.Contains(a.body, "hash")) {
							t.Errorf("%s: %d %.200s", host, a.status, a.body)
						}
					}
				}
			},
		},
	}
}
