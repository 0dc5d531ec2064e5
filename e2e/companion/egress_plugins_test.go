package companion

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// connecting is one way in which a bundled plugin opens connections.
type connecting struct {
	plugin string
	// config is for a host, which a URL has in brackets if it is an IPv6 address.
	config func(host string, port int) entity
	// global plugins are on no route.
	global bool
	// fixed ports are the plugin's own, where no friend listens.
	fixed bool
	// tls is asked for before any request.
	tls bool
	// A request that makes the plugin connect.
	path, body string
	headers    []string
}

var queue = entity{"max_retry_time": 0.1, "max_coalescing_delay": 0.01, "initial_retry_delay": 0.01, "max_retry_delay": 0.01}

// inURL returns a host in the form of URLs.
func inURL(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func httpURL(host string, port int) string { return fmt.Sprintf("http://%s:%d/", inURL(host), port) }

const chat = `{"messages":[{"role":"user","content":"hello"}]}`

func model(host string, port int) entity {
	return entity{"route_type": "llm/v1/chat", "auth": entity{"header_name": "a", "header_value": "b"},
		"model": entity{"provider": "openai", "name": "m", "options": entity{"upstream_url": httpURL(host, port)}}}
}

func transformer(plugin string) connecting {
	return connecting{plugin: plugin, body: chat, headers: []string{"Content-Type", "application/json"},
		config: func(host string, port int) entity { return entity{"prompt": "p", "llm": model(host, port)} }}
}

func viaProxy(config entity, host string, port int) entity {
	config["http_proxy_host"], config["http_proxy_port"] = host, port
	config["https_proxy_host"], config["https_proxy_port"] = host, port
	return config
}

func redis(host string, port int) entity {
	return entity{"host": host, "port": port, "timeout": 500}
}

// connectings are all ways in which bundled plugins connect.
var connectings = map[string]connecting{
	"http-log": {plugin: "http-log", config: func(host string, port int) entity {
		return entity{"http_endpoint": httpURL(host, port), "queue": queue}
	}},
	"http-log over TLS": {plugin: "http-log", config: func(host string, port int) entity {
		return entity{"http_endpoint": strings.Replace(httpURL(host, port), "http:", "https:", 1), "queue": queue}
	}},
	"tcp-log": {plugin: "tcp-log", config: func(host string, port int) entity { return entity{"host": host, "port": port} }},
	"tcp-log over TLS": {plugin: "tcp-log", config: func(host string, port int) entity {
		return entity{"host": host, "port": port, "tls": true}
	}},
	"udp-log": {plugin: "udp-log", config: func(host string, port int) entity { return entity{"host": host, "port": port} }},
	"loggly": {plugin: "loggly", config: func(host string, port int) entity {
		return entity{"key": "k", "host": host, "port": port, "log_level": "debug", "successful_severity": "info"}
	}},
	"datadog": {plugin: "datadog", config: func(host string, port int) entity { return entity{"host": host, "port": port, "queue": queue} }},
	"statsd":  {plugin: "statsd", config: func(host string, port int) entity { return entity{"host": host, "port": port, "queue": queue} }},
	"statsd over TCP": {plugin: "statsd", config: func(host string, port int) entity {
		return entity{"host": host, "port": port, "use_tcp": true, "queue": queue}
	}},
	"zipkin": {plugin: "zipkin", config: func(host string, port int) entity {
		return entity{"http_endpoint": httpURL(host, port), "sample_ratio": 1, "queue": queue}
	}},
	"opentelemetry": {plugin: "opentelemetry", config: func(host string, port int) entity {
		return entity{"traces_endpoint": httpURL(host, port), "sampling_rate": 1, "queue": queue}
	}},
	"ldap-auth": {plugin: "ldap-auth", headers: []string{"Authorization", "ldap YTpi"}, config: func(host string, port int) entity {
		return entity{"ldap_host": host, "ldap_port": port, "base_dn": "dc=a", "attribute": "cn", "timeout": 500}
	}},
	"aws-lambda": {plugin: "aws-lambda", config: func(host string, port int) entity {
		return entity{"host": host, "port": port, "aws_region": "us-east-1", "disable_https": true, "aws_key": "k", "aws_secret": "s", "function_name": "f", "timeout": 500}
	}},
	"aws-lambda by a proxy": {plugin: "aws-lambda", config: func(host string, port int) entity {
		return entity{"host": "192.0.2.1", "port": 80, "aws_region": "us-east-1", "disable_https": true, "proxy_url": httpURL(host, port),
			"aws_key": "k", "aws_secret": "s", "function_name": "f", "timeout": 500}
	}},
	"azure-functions": {plugin: "azure-functions", fixed: true, config: func(host string, _ int) entity {
		first, rest, _ := strings.Cut(host, ".")
		return entity{"appname": first, "hostdomain": rest, "functionname": "f", "https": false, "timeout": 500}
	}},
	"rate-limiting": {plugin: "rate-limiting", config: func(host string, port int) entity {
		return entity{"minute": 100, "policy": "redis", "redis": redis(host, port)}
	}},
	"response-ratelimiting": {plugin: "response-ratelimiting", config: func(host string, port int) entity {
		return entity{"limits": entity{"video": entity{"minute": 100}}, "policy": "redis", "redis": redis(host, port)}
	}},
	"ai-proxy":                {plugin: "ai-proxy", body: chat, headers: []string{"Content-Type", "application/json"}, config: model},
	"ai-request-transformer":  transformer("ai-request-transformer"),
	"ai-response-transformer": transformer("ai-response-transformer"),
	"ai-request-transformer by a proxy": {plugin: "ai-request-transformer", body: chat, headers: []string{"Content-Type", "application/json"},
		config: func(host string, port int) entity {
			return viaProxy(entity{"prompt": "p", "llm": model("192.0.2.1", 80)}, host, port)
		}},
	"acme": {plugin: "acme", global: true, tls: true, config: func(host string, port int) entity {
		return entity{"account_email": "a@example.com", "api_uri": httpURL(host, port), "storage": "shm", "allow_any_domain": true, "tos_accepted": true}
	}},
	"acme in redis": {plugin: "acme", global: true, path: "/.well-known/acme-challenge/token", config: func(host string, port int) entity {
		return entity{"account_email": "a@example.com", "api_uri": "http://192.0.2.1/", "allow_any_domain": true,
			"storage": "redis", "storage_config": entity{"redis": redis(host, port)}}
	}},
	"acme in consul": {plugin: "acme", global: true, path: "/.well-known/acme-challenge/token", config: func(host string, port int) entity {
		return entity{"account_email": "a@example.com", "api_uri": "http://192.0.2.1/", "allow_any_domain": true,
			"storage": "consul", "storage_config": entity{"consul": entity{"host": host, "port": port, "timeout": 500}}}
	}},
	"acme in vault": {plugin: "acme", global: true, path: "/.well-known/acme-challenge/token", config: func(host string, port int) entity {
		return entity{"account_email": "a@example.com", "api_uri": "http://192.0.2.1/", "allow_any_domain": true,
			"storage": "vault", "storage_config": entity{"vault": entity{"host": host, "port": port, "timeout": 500, "token": "t"}}}
	}},
}

// spellings are hosts that are, or may resolve to, a trap's address.
var spellings = []string{
	"127.0.0.1", "127.0.0.4", "localhost", "LOCALHOST", "localhost.", "trap.test", "trap.test.", "a.trap.test", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1",
	"trap6.test", "mapped.test", "0.0.0.0", "unspecified.test", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.000.000.001", "64:ff9b::7f00:1",
}

// valid asks Kong whether a plugin's configuration is valid.
func (k *kong) valid(plugin string, config entity) bool {
	k.t.Helper()
	body, err := json.Marshal(entity{"name": plugin, "config": config})
	if err != nil {
		k.t.Fatal(err)
	}
	code, _, _ := ask[map[string]any](k, http.MethodPost, "/schemas/plugins/validate", "application/json", body)
	return code == http.StatusOK
}

// TestPluginsReachNoDeniedAddress makes each bundled plugin that connects do so: to the friend, which
// shows that it does connect, and to traps in every spelling that its schema permits.
func TestPluginsReachNoDeniedAddress(t *testing.T) {
	k, l, _ := startGuarded(t, "KONG_TRACING_INSTRUMENTATIONS=request", "KONG_TRACING_SAMPLING_RATE=1")
	for _, name := range slices.Sorted(maps.Keys(connectings)) {
		t.Run(name, func(t *testing.T) {
			k := *k
			k.t = t
			c := connectings[name]
			var hosts []string
			tried := spellings
			if c.global { // each takes a load of its own
				tried = []string{"127.0.0.1", "localhost", "trap.test", "::ffff:7f00:1", "mapped.test", "127.1", "0x7f.1"}
			}
			for _, host := range tried {
				if k.valid(c.plugin, c.config(host, l.port)) {
					hosts = append(hosts, host)
				}
			}
			if len(hosts) < 4 {
				t.Errorf("the schema takes %d of %d spellings only", len(hosts), len(tried))
			}
			if !c.fixed {
				hosts = append([]string{"friend.test"}, hosts...)
			}
			k.plug(c, l, hosts...)
			for _, host := range hosts {
				if c.global {
					k.plug(c, l, host)
				}
				befriended, refused := l.friends.Load(), k.refusals()
				k.use(c, host)
				switch host {
				case "friend.test":
					if !within(answersWithin, func() bool { return l.friends.Load() > befriended }) {
						t.Errorf("the friend is not connected to\n%s", k.Complaints())
					}
				case "127.0.0.1", "localhost", "trap.test":
					if !within(answersWithin, func() bool { return k.refusals() > refused }) {
						t.Errorf("%s: nothing is refused\n%s", host, k.Complaints())
					}
				default: // the plugin itself may fail over the host
					within(300*time.Millisecond, func() bool { return k.refusals() > refused })
				}
			}
			if reached := l.traps.Load(); reached > 0 {
				t.Fatalf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
			}
		})
	}
}

func within(limit time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// refusals counts the refused connections in the log.
func (k *kong) refusals() (n int) {
	log := k.ReadLog()
	return strings.Count(log, "connection refused by the gateway: ") + strings.Count(log, "request refused by the gateway: ")
}

// routeTo returns the request host that makes a plugin connect to another host.
func (c connecting) routeTo(host string) string {
	if c.global {
		return "plugged"
	}
	return hex.EncodeToString([]byte(host)) + ".plugged"
}

// plug loads a route with the plugin for each host to connect to.
func (k *kong) plug(c connecting, l *listeners, hosts ...string) {
	k.t.Helper()
	all := config{}
	for _, host := range hosts {
		route := all.lead(c.routeTo(host), "friend.test", l.backend) // a name, as all of kube-sync's services have
		plugin := entity{"id": id("plugin", c.plugin, host), "name": c.plugin, "config": c.config(host, l.port)}
		if !c.global {
			plugin["route"] = route["id"]
		} else if host != hosts[0] {
			continue
		}
		all.put("plugins", plugin)
	}
	k.load(all)
}

// use sends a request that makes the plugin connect to a host.
func (k *kong) use(c connecting, host string) {
	k.t.Helper()
	path, method := c.path, http.MethodGet
	if path == "" {
		path = "/"
	}
	if c.body != "" {
		method = http.MethodPost
	}
	if c.tls {
		k.shake(hex.EncodeToString([]byte(host)) + ".example.com")
		return
	}
	k.request(c.routeTo(host), method, path, c.body, c.headers...)
}

// shake makes a TLS handshake with a server name.
func (k *kong) shake(name string) {
	k.t.Helper()
	connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", k.tls), &tls.Config{ServerName: name, InsecureSkipVerify: true}) //nolint:gosec // whatever it is
	if err != nil {
		k.t.Fatal(err)
	}
	_ = connection.Close()
}

// TestCredentialsOfTheCloudAreOutOfReach has plugins that use the gateway's own cloud identity if
// they have no credentials.
func TestCredentialsOfTheCloudAreOutOfReach(t *testing.T) {
	k, l, _ := startGuarded(t)
	for _, config := range []entity{
		{"aws_region": "us-east-1", "function_name": "f", "timeout": 500},
		{"aws_region": "us-east-1", "function_name": "f", "timeout": 500, "aws_imds_protocol_version": "v2"},
	} {
		before := strings.Count(k.ReadLog(), "169.254.169.254 is a link-local address")
		lambda := connecting{plugin: "aws-lambda", config: func(string, int) entity { return config }}
		k.plug(lambda, l, "")
		k.use(lambda, "")
		k.Eventually("a refusal of the metadata service", func() bool {
			return strings.Count(k.ReadLog(), "169.254.169.254 is a link-local address") > before
		})
	}
}

// quiet are the bundled plugins that open no connections.
var quiet = []string{
	"acl", "ai-prompt-decorator", "ai-prompt-guard", "ai-prompt-template", "basic-auth", "bot-detection", "correlation-id", "cors", "file-log",
	"grpc-gateway", "grpc-web", "hmac-auth", "ip-restriction", "jwt", "key-auth", "kube-sync-delta", "oauth2", "post-function", "pre-function", "prometheus",
	"proxy-cache", "redirect", "request-size-limiting", "request-termination", "request-transformer", "response-transformer", "session",
	"standard-webhooks", "syslog",
}

// TestAllPluginsAreKnown fails for a Kong with plugins that the lists above lack.
func TestAllPluginsAreKnown(t *testing.T) {
	k, _, _ := startGuarded(t)
	_, node, _ := ask[struct {
		Plugins struct {
			Available map[string]any `json:"available_on_server"`
		} `json:"plugins"`
	}](k, http.MethodGet, "/", "application/json", nil)
	known := slices.Clone(quiet)
	for _, c := range connectings {
		known = append(known, c.plugin)
	}
	if len(node.Plugins.Available) < 40 {
		t.Errorf("Kong has %d plugins only", len(node.Plugins.Available))
	}
	for name := range node.Plugins.Available {
		if !slices.Contains(known, name) {
			t.Errorf("nobody knows whether the plugin %s connects anywhere", name)
		}
	}
}

// TestCodeReachesNoDeniedAddress makes Lua code in a worker connect in ways that bundled plugins do not
// use. Kong's own connections are permitted.
func TestCodeReachesNoDeniedAddress(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own.sock")
	for _, path := range []string{own, own + ".other"} {
		listener, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
	}
	k, l, n := startGuarded(t, "KONG_PLUGINSERVER_NAMES=own", "KONG_PLUGINSERVER_OWN_SOCKET="+own, "KONG_PLUGINSERVER_OWN_QUERY_CMD=true")
	ways := map[string]struct {
		code string
		open bool
	}{
		"shorthand":           {`return ngx.socket.connect("127.0.0.1", PORT)`, false},
		"shorthand, a friend": {`return ngx.socket.connect("127.0.0.2", PORT)`, true},
		"stream":              {`return ngx.socket.stream():connect("127.0.0.1", PORT)`, false},
		"with a pool":         {`return ngx.socket.tcp():connect("localhost", PORT, { pool = "friend" })`, false},
		"datagrams":           {`return ngx.socket.udp():setpeername("localhost", PORT)`, false},
		"methods by hand":     {`local s = ngx.socket.tcp() return getmetatable(s).connect(s, "127.0.0.1", PORT)`, false},
		"a name by hand":      {`local s = ngx.socket.tcp() return getmetatable(s).connect(s, "localhost", PORT)`, false},
		"LuaSocket":           {`return require("socket").connect("127.0.0.1", PORT)`, false},
		"LuaSocket, tcp":      {`return require("socket").tcp():connect("127.0.0.1", PORT)`, false},
		"LuaSocket, tcp4":     {`return require("socket").connect4("127.0.0.1", PORT)`, false},
		"LuaSocket, udp":      {`return require("socket").udp():setpeername("127.0.0.1", PORT)`, false},
		"LuaSocket, sendto":   {`return require("socket").udp():sendto("x", "127.0.0.1", PORT)`, false},
		"LuaSocket, unix":     {`return require("socket.unix")():connect("OWN")`, false},
		"resolver":            {`return ngx.socket.tcp():connect("127.0.0.3", DNS)`, true}, // refused by its host, which has no TCP
		"not the resolver":    {`return ngx.socket.tcp():connect("127.0.0.3", PORT)`, false},
		"plugin server":       {`return ngx.socket.connect("unix:OWN")`, true},
		"other socket":        {`return ngx.socket.connect("unix:OWN.other")`, false},
		"in capitals":         {`local s = ngx.socket.tcp() return getmetatable(s).connect(s, "UNIX:OWN.other")`, false},
		"Admin API":           {`return ngx.socket.tcp():connect("127.0.0.1", ADMIN)`, false},
		"nothing":             {`return ngx.socket.tcp():connect(nil, PORT)`, true}, // an error of its own
	}
	code := "local ways = {\n"
	for name, way := range ways {
		code += fmt.Sprintf("[%q] = function() %s end,\n", name, way.code)
	}
	code += `}
local said = {}
for name, way in pairs(ways) do
  local _, ok, err = pcall(way)
  said[name] = tostring(err or ok)
end
return kong.response.exit(200, said)`
	code = strings.NewReplacer("PORT", fmt.Sprint(l.port), "DNS", fmt.Sprint(n.port), "ADMIN", fmt.Sprint(k.admin), "OWN", own).Replace(code)
	all := config{}
	route := all.lead("code", "friend.test", l.backend)
	all.put("plugins", entity{"id": id("code"), "name": "pre-function", "route": route["id"], "config": entity{"access": []string{code}}})
	k.load(all)
	_, answer := k.request("code", http.MethodGet, "/", "")
	var said map[string]string
	if err := json.Unmarshal([]byte(answer), &said); err != nil {
		t.Fatalf("%v: %s\n%s", err, answer, k.Complaints())
	}
	for name, way := range ways {
		if refused := strings.Contains(said[name], "refused by the gateway"); refused == way.open {
			t.Errorf("%s: %q", name, said[name])
		}
	}
	if reached := l.traps.Load(); reached > 0 {
		t.Errorf("traps were reached %d times, at last %s", reached, l.lastTrap.Load())
	}
}
