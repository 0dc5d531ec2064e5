package settings

import (
	"flag"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// table has all settings, in the order of the documentation.
var table = slices.Concat(general, limits())

var (
	tenancies       = []string{"shared", "isolated"}
	consumerPlugins = []string{"namespace", "everywhere"}
)

var general = []Setting{
	text("INGRESS_CLASS", "kong", "Name of the ingress class whose Ingresses are served.",
		func(s *Settings) *string { return &s.IngressClass }, dnsName),
	text("GATEWAY_API_CONTROLLER_NAME", "konghq.com/kic-gateway-controller", "The controllerName of the GatewayClasses whose Gateways are served.",
		func(s *Settings) *string { return &s.GatewayController }, controllerName),
	{
		Name: "GATEWAY_TO_RECONCILE", Doc: "The only Gateway to serve, as namespace/name, instead of all Gateways of the gateway's classes.",
		set: setGatewayToReconcile,
	},
	{
		Name: "GATEWAY_PORTS", Type: List, Doc: "Ports of Kong for Gateways of GatewayClasses without the annotation konghq.com/gatewayclass-unmanaged, such as 20000-20099. " +
			"Each of these Gateways gets a Service of its own, whose ports lead to some of them. PUBLISH_SERVICE has to be set, to a Service in a watched namespace. Without the setting, or with off, clients reach all Gateways through PUBLISH_SERVICE.",
		set: setGatewayPorts,
	},
	list("WATCH_NAMESPACE", "[all]", "Namespaces to watch, in comma-separated format.",
		func(s *Settings) *[]string { return &s.WatchNamespaces }, dnsLabel),
	text("MANIFESTS", "", "A file or directory of manifests that is watched instead of a cluster.",
		func(s *Settings) *string { return &s.Manifests }, anything),

	text("KUBECONFIG", "[the pod's service account]", "Path to a kubeconfig file.",
		func(s *Settings) *string { return &s.Kubeconfig }, anything),
	text("APISERVER_HOST", "[from the pod or the kubeconfig]", "URL of the Kubernetes API server.",
		func(s *Settings) *string { return &s.APIServerHost }, webURL),
	number("APISERVER_QPS", "[no limit]", "Maximum number of requests per second to the API server. Without the setting the API server's own priorities and fairness apply; at most some twenty requests are in progress at a time.",
		func(s *Settings) *int { return &s.APIServerQPS }),
	number("APISERVER_BURST", "300", "Maximum burst of requests to the API server, if APISERVER_QPS is set.",
		func(s *Settings) *int { return &s.APIServerBurst }),

	{
		Name: "PUBLISH_SERVICE", Doc: "Service in front of the gateway, as namespace/name: its addresses go into the status of Ingresses.",
		set: setPublishService,
	},
	list("PUBLISH_STATUS_ADDRESS", "", "Addresses for the status of Ingresses instead of those of PUBLISH_SERVICE, in comma-separated format.",
		func(s *Settings) *[]string { return &s.PublishStatusAddresses }, statusAddress),
	{
		Name: "PUBLISH_SERVICE_UDP", Doc: "Service in front of the gateway for UDP, as namespace/name, if it is not PUBLISH_SERVICE: its addresses go into the status of UDPIngresses.",
		set: setPublishServiceUDP,
	},
	list("PUBLISH_STATUS_ADDRESS_UDP", "", "Addresses for the status of UDPIngresses instead of those of PUBLISH_SERVICE_UDP, in comma-separated format.",
		func(s *Settings) *[]string { return &s.PublishStatusAddressesUDP }, statusAddress),
	boolean("UPDATE_STATUS", "true", "Whether the status of objects is written.",
		func(s *Settings) *bool { return &s.UpdateStatus }),
	boolean("EMIT_KUBERNETES_EVENTS", "true", "Whether objects with faults get Events.",
		func(s *Settings) *bool { return &s.EmitEvents }),
	text("ELECTION_ID", "[kube-sync-INGRESS_CLASS]", "Name of the Lease whose holder writes statuses. All gateways of one class share it.",
		func(s *Settings) *string { return &s.ElectionID }, dnsName),
	text("ELECTION_NAMESPACE", "[POD_NAMESPACE]", "Namespace of that Lease.",
		func(s *Settings) *string { return &s.ElectionNamespace }, dnsLabel),
	text("POD_NAME", "[the host's name]", "Name of the pod.",
		func(s *Settings) *string { return &s.PodName }, dnsName),
	text("POD_NAMESPACE", "[from the service account]", "Namespace of the pod.",
		func(s *Settings) *string { return &s.PodNamespace }, dnsLabel),

	text("CLUSTER_DOMAIN", "", "Domain of the cluster, for the addresses of Services.",
		func(s *Settings) *string { return &s.ClusterDomain }, dnsName),
	boolean("ENABLE_DRAIN_SUPPORT", "false", "Whether terminating endpoints stay in upstreams with weight 0, so that existing sessions drain.",
		func(s *Settings) *bool { return &s.DrainSupport }),
	boolean("ALLOW_EXTERNAL_NAME", "false", "Whether Services of type ExternalName and EndpointSlices of type FQDN are backends. Users who may write one can then send traffic anywhere, except to denied addresses.",
		func(s *Settings) *bool { return &s.AllowExternalName }),
	workers(boolean("ALLOW_LOOPBACK_BACKENDS", "false", "Whether backends and plugins may connect to the gateway's own addresses, loopback and link-local. This exposes the Admin API and everything else in the pod: for tests only.",
		func(s *Settings) *bool { return &s.AllowLoopbackBackends })),
	prefixes("DENIED_ADDRESSES", "Addresses and ranges, in comma-separated format, that backends and plugins may not connect to, such as 10.1.2.3,10.9.0.0/16,fd00:9::/32. "+
		"They are denied in addition to the gateway's own addresses, loopback, link-local and multicast addresses, cloud metadata services and the Kubernetes API server.",
		func(s *Settings) *[]netip.Prefix { return &s.DeniedAddresses }),
	prefixes("ALLOWED_ADDRESSES", "Addresses and ranges, in comma-separated format, that backends and plugins may connect to even if they are denied.",
		func(s *Settings) *[]netip.Prefix { return &s.AllowedAddresses }),

	list("LAST_RESORT_CERTIFICATE_NAMESPACES", "[POD_NAMESPACE]", "Namespaces whose objects may choose the certificate for all hosts without one, by TLS without a host or hostname, in comma-separated format; * for all.",
		func(s *Settings) *[]string { return &s.LastResortNamespaces }, namespaceOrAll),
	{
		Name: "TENANCY", Default: "shared", Values: tenancies, Doc: "What the objects of a namespace may ask of the gateway: shared or isolated. " +
			"Shared permits every bundled plugin, but none reads the gateway's files, environment, credentials or shared memory. " +
			"Isolated also leaves plugins that connect to other hosts, evaluate templates or share state to KongClusterPlugins.",
		set: func(s *Settings, value string) (err error) {
			s.Isolated, err = parseTenancy(value)
			return err
		},
	},
	list("ISOLATED_PLUGINS", "", "Plugins that KongPlugins may use although TENANCY is isolated, in comma-separated format.",
		func(s *Settings) *[]string { return &s.IsolatedPlugins }, anything),
	{
		Name: "ALLOW_PLUGIN_FIELDS", Type: List, Doc: "Values that KongPlugins may have in fields that give access to the gateway's files, credentials and memory, as plugin.field=value in comma-separated format: " +
			"file-log.path=/var/log/kong/, grpc-gateway.proto=/etc/protos/. A slash at the end permits all files of a directory, * permits every value, and an empty value permits a missing field.",
		set: func(s *Settings, value string) (err error) {
			s.AllowPluginFields, err = parsePluginFields(value)
			return err
		},
	},
	boolean("ALLOW_VAULTS", "false", "Whether objects of every namespace may refer to every KongVault and to the gateway's environment. Without it the annotation konghq.com/vault-namespaces of a KongVault names the namespaces that may.",
		func(s *Settings) *bool { return &s.AllowVaults }),
	list("CUSTOM_ENTITY_TYPES", "", "Types of entities that KongCustomEntities may have in addition to degraphql_routes, in comma-separated format, such as key_sets, keys. Every namespace can then create entities of these types.",
		func(s *Settings) *[]string { return &s.CustomEntityTypes }, customEntityType),
	{
		Name: "CONSUMER_PLUGINS", Default: "namespace", Values: consumerPlugins, Doc: "Where the plugins of a KongConsumer take effect: namespace or everywhere. Namespace means routes of its own namespace, and of namespaces with a ReferenceGrant for the KongConsumers of its namespace; " +
			"on other routes they only limit requests, and only if the route has no such plugin. Everywhere has no effect while TENANCY is isolated.",
		set: func(s *Settings, value string) (err error) {
			value, err = oneOf(consumerPlugins...)(strings.ToLower(value))
			s.ConsumersEverywhere = value == "everywhere"
			return err
		},
	},
	boolean("ALLOW_LUA_PLUGINS", "false", "Whether plugins may have Lua code in their configuration, which Kong runs: pre-function, post-function, fields *_by_lua, and templates of request-transformer that do more than look up values.",
		func(s *Settings) *bool { return &s.AllowLuaPlugins }),

	boolean("ALLOW_VULNERABLE_KONG", "false", "Whether a Kong before 3.9.2 is configured, in spite of vulnerabilities that any client can exploit. Kong 3.9.2 and 3.9.3 are configured with a warning.",
		func(s *Settings) *bool { return &s.AllowVulnerableKong }),
	workers(number("MAX_KONG_HOPS", "5", "Maximum number of Kong gateways in the header Via of a request, including this one. A request with more is answered 508: a backend leads back to the gateway.",
		func(s *Settings) *int { return &s.MaxKongHops })),
	workers(Setting{
		Name: "LIMIT_NAMESPACE_STREAM_SESSIONS", Default: "[a quarter of worker_connections]", Type: Integer,
		Doc: "Maximum number of connections and UDP sessions that the stream routes of one namespace have open in each of Kong's workers; 0 means no limit. " +
			"A TLS connection counts as two. The default leaves half of a worker's connections to other namespaces.",
		set: func(s *Settings, value string) (err error) {
			s.StreamSessions, err = parseLimit(value)
			return err
		},
	}),
	{
		Name: "LIMIT_NAMESPACE_GATEWAY_PORTS", Default: "[half of the ports for each protocol]", Type: Integer,
		Doc: "Maximum number of GATEWAY_PORTS for the Gateways and ListenerSets of one namespace, for each protocol; 0 means no limit.",
		set: func(s *Settings, value string) (err error) {
			s.NamespaceGatewayPorts, err = parseLimit(value)
			return err
		},
	},
	workers(size("MAX_BUFFERED_BODY", "1m", "Size of the largest request body that Kong receives completely before it forwards the request. Larger bodies, and those of unknown length, are streamed. A plugin that reads such a body answers 413. 0 stands for no limit.",
		func(s *Settings) *int64 { return &s.MaxBufferedBody })),
	workers(size("MAX_BUFFERED_BODIES", "256m", "Size of all request bodies that Kong's workers hold at once, mostly on disk. Each worker has an equal part, and one namespace may use half of that. A body that does not fit is streamed.",
		func(s *Settings) *int64 { return &s.MaxBufferedBodies })),

	text("KONG_ADMIN_SOCKET", "[from Kong's settings]", "Kong's Admin API: the path of its Unix socket, or a URL.",
		func(s *Settings) *string { return &s.Admin }, adminAddress),
	seconds("PROXY_TIMEOUT_SECONDS", "30", "Timeout of a request to Kong's Admin API. A full configuration gets a second more for each 256 KiB.",
		func(s *Settings) *time.Duration { return &s.AdminTimeout }),

	text("HEALTH_PROBE_BIND_ADDRESS", ":10254", "Where /healthz and /readyz are served, as host:port, or off.",
		func(s *Settings) *string { return &s.HealthProbeAddress }, bindAddress),
	text("METRICS_BIND_ADDRESS", ":10255", "Where /metrics is served, as host:port, or off.",
		func(s *Settings) *string { return &s.MetricsAddress }, bindAddress),
	text("STATUS_PAGE_BIND_ADDRESS", "off", "Where the status page is served, as host:port, or off. It is read-only and shows no secret, but everyone who reaches it sees all routes: an address of loopback, such as 127.0.0.1:10256, is reached through kubectl port-forward alone.",
		func(s *Settings) *string { return &s.StatusPageAddress }, bindAddress),
	text("PPROF_BIND_ADDRESS", "off", "Where profiles of kube-sync are served, at /debug/pprof/, as host:port of loopback, or off.",
		func(s *Settings) *string { return &s.ProfilesAddress }, loopbackAddress),
	text("TRACING_ENDPOINT", "off", "Where traces of changes are sent: the URL of an OpenTelemetry receiver for OTLP over HTTP, such as http://collector.monitoring:4318, or off.",
		func(s *Settings) *string { return &s.TracingEndpoint }, urlOrOff),
	text("RELAY_BIND_ADDRESS", "127.0.0.1:10264", "Where the relay in kube-sync listens, as host:port of loopback, or off. Kong sends it the requests of Gateway API rules that mirror, retry, keep sessions, or verify backends.",
		func(s *Settings) *string { return &s.RelayAddress }, loopbackAddress),
	size("RELAY_MEMORY", "64m", "Memory for request bodies that may be sent again, to another endpoint or to a mirror. One namespace may use half of it. A request whose body finds no memory is sent once.",
		func(s *Settings) *int64 { return &s.RelayMemory }),
	{
		Name: "LOG_LEVEL", Default: "info", Values: []string{"trace", "debug", "info", "warn", "error"}, Doc: "Lowest level that is logged: trace, debug, info, warn or error.",
		set: setLogLevel,
	},
	choice("LOG_FORMAT", "text", "Format of the log: text or json.",
		func(s *Settings) *string { return &s.LogFormat }, "text", "json"),
}

var byName = func() map[string]Setting {
	m := make(map[string]Setting, len(table))
	for _, setting := range table {
		m[setting.Name] = setting
	}
	return m
}()

// Table returns all settings, in the order of the documentation.
func Table() []Setting { return slices.Clone(table) }

// Flags adds a flag for each setting. The map is for [Sources]; parsing the command line fills it.
// [Load] checks the values.
func Flags(set *flag.FlagSet) map[string]string {
	values := map[string]string{}
	for _, setting := range table {
		setting.flag(set, func(value string) error {
			values[setting.Name] = value
			return nil
		})
	}
	return values
}

func (s Setting) flag(set *flag.FlagSet, store func(value string) error) {
	usage := s.Doc
	if s.Default != "" {
		usage += " Default: " + s.Default
	}
	if s.Type == Boolean {
		set.BoolFunc(s.Flag(), usage, store)
	} else {
		set.Func(s.Flag(), usage, store)
	}
}
