package settings

import (
	"flag"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// kong returns the settings that Kong needs, and further ones as alternating keys and values.
func kong(more ...string) map[string]string {
	settings := map[string]string{
		"plugins": "bundled, kube-sync-delta,kube-sync-http", "database": "off", "router_flavor": "expressions", "nginx_admin_listen": "unix:/kong/admin.sock",
		"pluginserver_kube_sync_start_cmd": "/usr/local/bin/kube-sync", "pluginserver_kube_sync_query_cmd": "x",
		"pluginserver_kube_sync_socket": "y", "pluginserver_other_x": "z",
	}
	for i := 0; i < len(more); i += 2 {
		settings[more[i]] = more[i+1]
	}
	return settings
}

// own are the addresses of the network interfaces in all tests.
var own = []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("2001:db8::7")}

// addresses are compared by their value.
var addresses = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func TestMain(m *testing.M) {
	interfaceAddresses = func() ([]net.Addr, error) {
		return []net.Addr{
			&net.IPNet{IP: net.IPv4(10, 0, 0, 7), Mask: net.CIDRMask(24, 32)},
			&net.IPNet{IP: net.ParseIP("2001:db8::7"), Mask: net.CIDRMask(64, 128)},
		}, nil
	}
	os.Exit(m.Run())
}

func TestDefaults(t *testing.T) {
	serviceAccount = filepath.Join(t.TempDir(), "namespace")
	if err := os.WriteFile(serviceAccount, []byte("gateways\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(Sources{Kong: kong(), Environ: []string{"POD_NAME=gw-1", "PATH=/bin", "KUBERNETES_SERVICE_HOST=10.96.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		Limits:       defaultLimits(),
		IngressClass: "kong", GatewayController: "konghq.com/kic-gateway-controller", APIServerBurst: 300, UpdateStatus: true, EmitEvents: true,
		ElectionID: "kube-sync-kong", ElectionNamespace: "gateways", PodName: "gw-1", PodNamespace: "gateways", LastResortNamespaces: []string{"gateways"},
		Admin: "unix:/kong/admin.sock", AdminTimeout: 30 * time.Second,
		HealthProbeAddress: ":10254", MetricsAddress: ":10255", StatusPageAddress: "off", ProfilesAddress: "off", TracingEndpoint: "off", RelayAddress: "127.0.0.1:10264", RelayMemory: 64 << 20, LogFormat: "text",
		MaxKongHops: 5, MaxBufferedBody: 1 << 20, MaxBufferedBodies: 256 << 20,
		OwnAddresses: own, APIServerAddresses: []netip.Addr{netip.MustParseAddr("10.96.0.1")},
	}
	if diff := cmp.Diff(want, got, addresses); diff != "" {
		t.Error(diff)
	}
}

func defaultLimits() (l limit.Limits) {
	for _, row := range limit.Table {
		*row.Field(&l) = row.Default
	}
	return l
}

func TestEverySetting(t *testing.T) {
	values := map[string]string{
		"GATEWAY_API_CONTROLLER_NAME": "a.example/b", "GATEWAY_TO_RECONCILE": "kong/gw",
		"INGRESS_CLASS": "inner", "WATCH_NAMESPACE": "a, b,", "MANIFESTS": "/m", "KUBECONFIG": "/k",
		"APISERVER_HOST": "https://10.0.0.1:6443", "APISERVER_QPS": "7", "APISERVER_BURST": "9",
		"PUBLISH_SERVICE": "kong/proxy", "PUBLISH_STATUS_ADDRESS": "192.0.2.1,gw.example.com,2001:db8::1",
		"PUBLISH_SERVICE_UDP": "kong/proxy-udp", "PUBLISH_STATUS_ADDRESS_UDP": "192.0.2.2",
		"UPDATE_STATUS": "off", "EMIT_KUBERNETES_EVENTS": "false", "ELECTION_ID": "e", "ELECTION_NAMESPACE": "en",
		"POD_NAME": "p", "POD_NAMESPACE": "pn", "CLUSTER_DOMAIN": "cluster.local", "ENABLE_DRAIN_SUPPORT": "true",
		"ALLOW_EXTERNAL_NAME": "yes", "ALLOW_LOOPBACK_BACKENDS": "1", "ALLOW_LUA_PLUGINS": "on",
		"TENANCY": "isolated", "ISOLATED_PLUGINS": "http-log, zipkin", "ALLOW_VAULTS": "true", "CONSUMER_PLUGINS": "everywhere", "CUSTOM_ENTITY_TYPES": "keys, key_sets", "ALLOW_PLUGIN_FIELDS": "file-log.path=/var/log/, aws-lambda.aws_key=",
		"KONG_ADMIN_SOCKET":     "/s",
		"PROXY_TIMEOUT_SECONDS": "0.5", "HEALTH_PROBE_BIND_ADDRESS": "127.0.0.1:1", "METRICS_BIND_ADDRESS": "0", "STATUS_PAGE_BIND_ADDRESS": "127.0.0.1:2",
		"DENIED_ADDRESSES": "10.1.2.3, 10.9.0.0/16,fd00:9::/32,", "ALLOWED_ADDRESSES": "169.254.20.10",
		"RELAY_BIND_ADDRESS": "[::1]:7", "PPROF_BIND_ADDRESS": "[::1]:6060", "TRACING_ENDPOINT": "http://collector:4318", "LOG_LEVEL": "debug", "LOG_FORMAT": "json", "GATEWAY_PORTS": "20000-20039, 9000",
		"RELAY_MEMORY": "8k", "ALLOW_VULNERABLE_KONG": "true", "MAX_KONG_HOPS": "3", "LIMIT_NAMESPACE_STREAM_SESSIONS": "77", "LIMIT_NAMESPACE_GATEWAY_PORTS": "3", "MAX_BUFFERED_BODY": "0", "MAX_BUFFERED_BODIES": "3G",
		"LAST_RESORT_CERTIFICATE_NAMESPACES": "*, a",
	}
	for _, row := range limit.Table {
		values[row.Setting] = "12"
	}
	values[limit.NamespaceBytes] = "0"
	want := Settings{
		Limits: limit.Limits{PluginString: 12, PluginConfig: 12, MatchTerms: 12, Match: 12, Listeners: 12, Attachments: 12,
			Object: limit.Cost{Entities: 12, Bytes: 12}, Namespace: limit.Cost{Entities: 12, Bytes: limit.Unlimited, Match: 12}},
		NamespaceGatewayPorts: 3,
		GatewayPorts:          []Ports{{20000, 20039}, {9000, 9000}},
		LastResortNamespaces:  []string{"*", "a"},
		GatewayController:     "a.example/b", GatewayToReconcile: types.NamespacedName{Namespace: "kong", Name: "gw"},
		IngressClass: "inner", WatchNamespaces: []string{"a", "b"}, Manifests: "/m", Kubeconfig: "/k",
		APIServerHost: "https://10.0.0.1:6443", APIServerQPS: 7, APIServerBurst: 9,
		PublishService:         types.NamespacedName{Namespace: "kong", Name: "proxy"},
		PublishStatusAddresses: []string{"192.0.2.1", "gw.example.com", "2001:db8::1"},
		PublishServiceUDP:      types.NamespacedName{Namespace: "kong", Name: "proxy-udp"}, PublishStatusAddressesUDP: []string{"192.0.2.2"},
		ElectionID: "e", ElectionNamespace: "en", PodName: "p", PodNamespace: "pn",
		ClusterDomain: "cluster.local", DrainSupport: true, AllowExternalName: true, AllowLoopbackBackends: true, AllowLuaPlugins: true,
		Isolated: true, AllowVaults: true, ConsumersEverywhere: true, CustomEntityTypes: []string{"keys", "key_sets"}, IsolatedPlugins: []string{"http-log", "zipkin"},
		AllowPluginFields: []tenancy.FieldValue{{Plugin: "file-log", Field: "path", Value: "/var/log/"}, {Plugin: "aws-lambda", Field: "aws_key"}},
		Admin:             "unix:/s", AdminTimeout: 500 * time.Millisecond, HealthProbeAddress: "127.0.0.1:1",
		MetricsAddress: "off", StatusPageAddress: "127.0.0.1:2", ProfilesAddress: "[::1]:6060", TracingEndpoint: "http://collector:4318", RelayAddress: "[::1]:7", LogLevel: slog.LevelDebug, LogFormat: "json",
		RelayMemory: 8 << 10, AllowVulnerableKong: true, MaxKongHops: 3, StreamSessions: 77, MaxBufferedBody: 0, MaxBufferedBodies: 3 << 30,
		DeniedAddresses:  []netip.Prefix{netip.MustParsePrefix("10.1.2.3/32"), netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("fd00:9::/32")},
		AllowedAddresses: []netip.Prefix{netip.MustParsePrefix("169.254.20.10/32")},
		OwnAddresses:     own, APIServerAddresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
	}
	environ, inKong, args := []string{}, kong(), []string{}
	for _, setting := range Table() {
		value, ok := values[setting.Name]
		if !ok {
			t.Errorf("%s is not tested", setting.Name)
		}
		if setting.Doc == "" || !strings.HasSuffix(setting.Doc, ".") {
			t.Errorf("%s has no sentence about it", setting.Name)
		}
		environ = append(environ, setting.Environment()+"="+value)
		inKong[strings.ToLower(strings.TrimPrefix(setting.KongEnvironment(), "KONG_"))] = value
		args = append(args, "--"+setting.Flag()+"="+value)
	}
	set := flag.NewFlagSet("test", flag.ContinueOnError)
	flags := Flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	for name, sources := range map[string]Sources{"environment": {Environ: environ}, "Kong": {Kong: inKong}, "flags": {Flags: flags}} {
		got, err := Load(sources)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, addresses); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestUnguarded(t *testing.T) {
	for plugins, want := range map[string]bool{
		"": true, "bundled": true, "bundled,kube-sync-http": true, "bundled,kube-sync-delta-2": true, "kube-sync-delta": false, "bundled, kube-sync-delta": false,
	} {
		s, err := Load(Sources{Kong: kong("plugins", plugins)})
		if err != nil || s.Unguarded != want {
			t.Errorf("with the plugins %q: %t %v", plugins, s.Unguarded, err)
		}
	}
}

func TestPrecedence(t *testing.T) {
	sources := Sources{
		Flags:   map[string]string{"INGRESS_CLASS": "flag"},
		Kong:    kong("pluginserver_kube_sync_ingress_class", "kong2", "pluginserver_kube_sync_log_format", "json"),
		Environ: []string{"CONTROLLER_INGRESS_CLASS=environment", "CONTROLLER_LOG_FORMAT=text", "CONTROLLER_APISERVER_QPS=5"},
	}
	s, err := Load(sources)
	if err != nil || s.IngressClass != "flag" || s.LogFormat != "json" || s.APIServerQPS != 5 {
		t.Errorf("%v %+v", err, s)
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		key, value string
		says       []string
	}{
		"unknown":             {"ingres_class", "x", []string{"KONG_PLUGINSERVER_KUBE_SYNC_INGRES_CLASS", "unknown", "INGRESS_CLASS, ISOLATED_PLUGINS"}},
		"of KIC":              {"kong_admin_url", "http://x", []string{"KONG_ADMIN_URL", "has to be removed", "the Kong that it runs in"}},
		"Konnect":             {"konnect_address", "x", []string{"KONNECT_ADDRESS", "does not talk to Konnect"}},
		"webhook":             {"admission_webhook_listen", ":8080", []string{"there is no webhook"}},
		"controller":          {"enable_controller_kongplugin", "false", []string{"and all others are"}},
		"gate":                {"feature_gates", "FillIDs=true,RewriteURIs=false", []string{`"RewriteURIs=false"`, "konghq.com/rewrite takes effect"}},
		"no gate":             {"feature_gates", "Knative=true", []string{`"Knative=true"`, "not a feature gate"}},
		"class":               {"ingress_class", "A B", []string{"INGRESS_CLASS", `"A B"`, "small letters"}},
		"namespace":           {"watch_namespace", "a,b/c", []string{"WATCH_NAMESPACE", "name of a namespace"}},
		"boolean":             {"update_status", "maybe", []string{"UPDATE_STATUS", "want true or false"}},
		"number":              {"apiserver_qps", "0", []string{"at least 1"}},
		"bytes":               {"relay_memory", "64MiB", []string{"want a number of bytes, such as 8k, 64m or 1g"}},
		"seconds":             {"proxy_timeout_seconds", "NaN", []string{"want seconds"}},
		"level":               {"log_level", "verbose", []string{"trace, debug, info, warn or error"}},
		"format":              {"log_format", "xml", []string{"text or json"}},
		"service":             {"publish_service", "proxy", []string{"namespace/name"}},
		"address":             {"publish_status_address", "a b", []string{"neither an IP address nor a host name"}},
		"port":                {"metrics_bind_address", "10255", []string{"host:port"}},
		"URL":                 {"apiserver_host", "10.0.0.1", []string{"want a URL"}},
		"socket":              {"kong_admin_socket", "admin.sock", []string{"path of a Unix socket"}},
		"vault":               {"ingress_class", "{vault://env/x}", []string{"vaults"}},
		"range":               {"denied_addresses", "10.0.0.1/8", []string{"DENIED_ADDRESSES", "IP addresses and ranges"}},
		"mapped range":        {"allowed_addresses", "::ffff:10.0.0.0/104", []string{"ALLOWED_ADDRESSES", "IP addresses and ranges"}},
		"name for a range":    {"denied_addresses", "10.0.0.1,db.example.com", []string{`"db.example.com"`, "IP addresses and ranges"}},
		"zone":                {"denied_addresses", "fe80::1%eth0", []string{"IP addresses and ranges"}},
		"empty where it must": {"ingress_class", " ", []string{"small letters"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Load(Sources{Kong: kong("pluginserver_kube_sync_"+tt.key, tt.value)})
			for _, says := range tt.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("error %v should say %q", err, says)
				}
			}
		})
	}
}

// Kong's workers do not see flags and kube-sync's environment.
func TestSettingsOfWorkersGoThroughKong(t *testing.T) {
	for _, name := range []string{"DENIED_ADDRESSES", "ALLOWED_ADDRESSES", "ALLOW_LOOPBACK_BACKENDS"} {
		value := map[bool]string{true: "true", false: "10.9.0.0/16"}[name == "ALLOW_LOOPBACK_BACKENDS"]
		for from, sources := range map[string]Sources{
			"a flag":          {Kong: kong(), Flags: map[string]string{name: value}},
			"the environment": {Kong: kong(), Environ: []string{"CONTROLLER_" + name + "=" + value}},
		} {
			if _, err := Load(sources); err == nil || !strings.Contains(err.Error(), "set as KONG_PLUGINSERVER_KUBE_SYNC_"+name) {
				t.Errorf("%s from %s: %v", name, from, err)
			}
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	s, err := Load(Sources{
		Kong:    map[string]string{"database": "postgres", "router_flavor": "traditional", "admin_listen": "off", "pluginserver_kube_sync_nope": "1"},
		Environ: []string{"CONTROLLER_LOG_LEVEL=loud", "CONTROLLER_METRICS_BIND_ADDRESS=127.0.0.1:7"},
	})
	for _, says := range []string{"KONG_DATABASE", "KONG_ROUTER_FLAVOR", "no Admin API", "NOPE", "CONTROLLER_LOG_LEVEL"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v should say %q", err, says)
		}
	}
	if s.MetricsAddress != "127.0.0.1:7" || s.LogLevel != slog.LevelInfo {
		t.Errorf("valid settings are missing: %+v", s)
	}
}

// Kong's workers do not see what only kube-sync is told.
func TestSettingsOfWorkers(t *testing.T) {
	_, err := Load(Sources{Kong: kong(), Flags: map[string]string{"MAX_KONG_HOPS": "3"}, Environ: []string{"CONTROLLER_MAX_BUFFERED_BODY=1g"}})
	for _, says := range []string{"--max-kong-hops: Kong's workers read it, so it has to be set as KONG_PLUGINSERVER_KUBE_SYNC_MAX_KONG_HOPS", "KONG_PLUGINSERVER_KUBE_SYNC_MAX_BUFFERED_BODY"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v should say %q", err, says)
		}
	}
	if s, err := Load(Sources{Kong: kong("pluginserver_kube_sync_max_kong_hops", "3")}); err != nil || s.MaxKongHops != 3 {
		t.Errorf("%d %v", s.MaxKongHops, err)
	}
}

// A setting of the Kong Ingress Controller may stay if it asks for what kube-sync does in any case.
func TestTakenFromTheKongIngressController(t *testing.T) {
	environ := []string{
		"CONTROLLER_ANONYMOUS_REPORTS=false", "CONTROLLER_ADMISSION_WEBHOOK_LISTEN=off", "CONTROLLER_ENABLE_CONTROLLER_KONGPLUGIN=True",
		"CONTROLLER_KONNECT_SYNC_ENABLED=false", "CONTROLLER_ENABLE_REVERSE_SYNC=true", "CONTROLLER_TERM_DELAY=0s",
		"CONTROLLER_FEATURE_GATES=GatewayAlpha=true, RewriteURIs=true,SanitizeKonnectConfigDumps=false,",
	}
	if _, err := Load(Sources{Environ: environ}); err != nil {
		t.Error(err)
	}
}

// A Service named "controller" adds variables to every container of its namespace.
func TestServiceLinks(t *testing.T) {
	environ := []string{
		"CONTROLLER_SERVICE_HOST=10.0.0.1", "CONTROLLER_SERVICE_PORT=80", "CONTROLLER_SERVICE_PORT_HTTP=80",
		"CONTROLLER_PORT=tcp://10.0.0.1:80", "CONTROLLER_PORT_80_TCP=tcp://10.0.0.1:80", "CONTROLLER_PORT_80_TCP_ADDR=10.0.0.1",
		"CONTROLLER_API_SERVICE_HOST=10.0.0.1", "CONTROLLER_API_SERVICE_PORT_HTTP=1", "CONTROLLER_API_PORT=tcp://10.0.0.1:80", "CONTROLLER_API_PORT_80_TCP_PROTO=tcp",
	}
	if _, err := Load(Sources{Environ: environ}); err != nil {
		t.Error(err)
	}
	if _, err := Load(Sources{Environ: []string{"CONTROLLER_IMPORTANCE=1"}}); err == nil {
		t.Error("an unknown setting is taken for such a variable")
	}
}

func TestFlags(t *testing.T) {
	load := func(args ...string) (Settings, error) {
		set := flag.NewFlagSet("test", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		values := Flags(set)
		if err := set.Parse(args); err != nil {
			t.Fatal(err)
		}
		return Load(Sources{Flags: values})
	}
	// Kong would restart a plugin server that ends because of a flag.
	if _, err := load("--log-level=loud"); err == nil || !strings.Contains(err.Error(), "--log-level") {
		t.Errorf("a malformed flag: %v", err)
	}
	s, err := load("--update-status", "--enable-drain-support=false", "--manifests", "dir", "rest")
	if err != nil || !s.UpdateStatus || s.DrainSupport || s.Manifests != "dir" {
		t.Errorf("%v %+v", err, s)
	}
}
