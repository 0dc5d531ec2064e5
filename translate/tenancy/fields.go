package tenancy

// permission limits the values of a field for KongPlugins.
type permission struct {
	plugin, field string
	// values are permitted to every namespace.
	values []string
	// needed permits every value but requires the field.
	needed bool
	// when limits the permission to configurations with a value in another field.
	when condition
	// isolated limits the permission to isolated gateways.
	isolated bool
	// is describes the field in messages: "a file of the gateway".
	is string
	// example is a value that an operator may want to permit.
	example string
}

// condition is met by a configuration with the value in the field. The zero value is always met.
type condition struct {
	field string
	value any
}

const (
	file       = "a file of the gateway"
	dictionary = "shared memory of the gateway"
	counters   = "where the plugin keeps its counters"
	account    = "the gateway's own account in the cloud"
)

// permissions are the fields of bundled plugins that give access to what belongs to the gateway.
// Fields that name hosts are in [hosts].
var permissions = []permission{
	{plugin: "file-log", field: "path", is: file, values: []string{"/dev/stdout", "/dev/stderr"}, example: "/var/log/kong/"},
	{plugin: "grpc-gateway", field: "proto", is: file, example: "/etc/protos/"},
	{plugin: "grpc-web", field: "proto", is: file, example: "/etc/protos/"},
	{plugin: "acme", field: "storage_config.vault.jwt_path", is: file, example: "/var/run/secrets/acme/token"},
	// Kong would send the token of the gateway's service account to the vault.
	{plugin: "acme", field: "storage_config.vault.auth_method", is: "a credential of the gateway", values: []string{"token"}, example: "kubernetes"},
	{plugin: "acme", field: "storage_config.shm.shm_name", is: dictionary, values: []string{"kong"}, example: "acme"},
	{plugin: "proxy-cache", field: "memory.dictionary_name", is: dictionary, values: []string{"kong_db_cache"}, example: "proxy_cache"},
	// It receives all log lines of the workers, including those about other tenants.
	{plugin: "opentelemetry", field: "logs_endpoint", is: "where the gateway's log is sent", example: "https://otel.example/v1/logs"},
	// Without its own keys, a plugin uses those of the gateway's environment, files or machine.
	{plugin: "aws-lambda", field: "aws_key", needed: true, is: account},
	{plugin: "aws-lambda", field: "aws_secret", needed: true, is: account},
	{plugin: "ai-proxy", field: "auth.aws_access_key_id", needed: true, is: account, when: condition{"model.provider", "bedrock"}},
	{plugin: "ai-proxy", field: "auth.aws_secret_access_key", needed: true, is: account, when: condition{"model.provider", "bedrock"}},
	{plugin: "ai-proxy", field: "auth.gcp_service_account_json", needed: true, is: account, when: condition{"auth.gcp_use_service_account", true}},
	{plugin: "ai-request-transformer", field: "llm.auth.aws_access_key_id", needed: true, is: account, when: condition{"llm.model.provider", "bedrock"}},
	{plugin: "ai-request-transformer", field: "llm.auth.aws_secret_access_key", needed: true, is: account, when: condition{"llm.model.provider", "bedrock"}},
	{plugin: "ai-request-transformer", field: "llm.auth.gcp_service_account_json", needed: true, is: account, when: condition{"llm.auth.gcp_use_service_account", true}},
	{plugin: "ai-response-transformer", field: "llm.auth.aws_access_key_id", needed: true, is: account, when: condition{"llm.model.provider", "bedrock"}},
	{plugin: "ai-response-transformer", field: "llm.auth.aws_secret_access_key", needed: true, is: account, when: condition{"llm.model.provider", "bedrock"}},
	{plugin: "ai-response-transformer", field: "llm.auth.gcp_service_account_json", needed: true, is: account, when: condition{"llm.auth.gcp_use_service_account", true}},

	{plugin: "rate-limiting", field: "policy", isolated: true, is: counters, values: []string{"local"}, example: "redis"},
	{plugin: "response-ratelimiting", field: "policy", isolated: true, is: counters, values: []string{"local"}, example: "redis"},
	{plugin: "session", field: "storage", isolated: true, is: "where the plugin keeps sessions", values: []string{"cookie"}, example: "kong"},
}

// host is a field in which a plugin names a host to connect to.
type host struct {
	plugin, field string
	// url is set if the field holds a URL.
	url bool
	// fallback is Kong's default for the field. It may be empty.
	fallback string
	// under is a field whose value precedes the host, with a dot between. It may be empty.
	under string
}

// hosts are the fields of bundled plugins that name hosts to connect to.
var hosts = []host{
	{plugin: "acme", field: "api_uri", url: true},
	{plugin: "acme", field: "storage_config.consul.host"},
	{plugin: "acme", field: "storage_config.redis.host"},
	{plugin: "acme", field: "storage_config.vault.host"},
	{plugin: "ai-proxy", field: "model.options.gemini.api_endpoint"},
	{plugin: "ai-proxy", field: "model.options.upstream_url", url: true},
	{plugin: "ai-request-transformer", field: "http_proxy_host"},
	{plugin: "ai-request-transformer", field: "https_proxy_host"},
	{plugin: "ai-request-transformer", field: "llm.model.options.gemini.api_endpoint"},
	{plugin: "ai-request-transformer", field: "llm.model.options.upstream_url", url: true},
	{plugin: "ai-response-transformer", field: "http_proxy_host"},
	{plugin: "ai-response-transformer", field: "https_proxy_host"},
	{plugin: "ai-response-transformer", field: "llm.model.options.gemini.api_endpoint"},
	{plugin: "ai-response-transformer", field: "llm.model.options.upstream_url", url: true},
	{plugin: "aws-lambda", field: "aws_sts_endpoint_url", url: true},
	{plugin: "aws-lambda", field: "host"},
	{plugin: "aws-lambda", field: "proxy_url", url: true},
	{plugin: "azure-functions", field: "hostdomain", under: "appname"},
	{plugin: "datadog", field: "host", fallback: "localhost"},
	{plugin: "http-log", field: "http_endpoint", url: true},
	{plugin: "ldap-auth", field: "ldap_host"},
	{plugin: "loggly", field: "host"},
	{plugin: "opentelemetry", field: "endpoint", url: true},
	{plugin: "opentelemetry", field: "logs_endpoint", url: true},
	{plugin: "opentelemetry", field: "traces_endpoint", url: true},
	{plugin: "rate-limiting", field: "redis.host"},
	{plugin: "rate-limiting", field: "redis_host"},
	{plugin: "response-ratelimiting", field: "redis.host"},
	{plugin: "response-ratelimiting", field: "redis_host"},
	{plugin: "statsd", field: "host", fallback: "localhost"},
	{plugin: "tcp-log", field: "host"},
	{plugin: "udp-log", field: "host"},
	{plugin: "zipkin", field: "http_endpoint", url: true},
}

// label is a field that Kong inserts into a host name.
type label struct{ plugin, field string }

// labels are the fields of bundled plugins that are parts of host names. A value with other
// characters could name another host.
var labels = []label{
	{"ai-proxy", "model.options.azure_instance"},
	{"ai-proxy", "model.options.gemini.api_endpoint"},
	{"ai-proxy", "model.options.bedrock.aws_region"},
	{"ai-request-transformer", "llm.model.options.azure_instance"},
	{"ai-request-transformer", "llm.model.options.gemini.api_endpoint"},
	{"ai-request-transformer", "llm.model.options.bedrock.aws_region"},
	{"ai-response-transformer", "llm.model.options.azure_instance"},
	{"ai-response-transformer", "llm.model.options.gemini.api_endpoint"},
	{"ai-response-transformer", "llm.model.options.bedrock.aws_region"},
	{"aws-lambda", "aws_region"},
	{"azure-functions", "appname"},
	{"azure-functions", "hostdomain"},
}

// functions are the bundled plugins whose configuration is code.
var functions = []string{"pre-function", "post-function"}

// luaSuffix ends the names of fields that hold code.
const luaSuffix = "_by_lua"

// templates are the bundled plugins that evaluate templates in their configuration.
var templates = []string{"request-transformer"}

// harmless are the bundled plugins that isolated gateways permit: within the permissions, they
// connect to no other host, evaluate no template, read no file and share no state.
var harmless = []string{
	"acl", "ai-prompt-decorator", "ai-prompt-guard", "ai-prompt-template", "basic-auth", "bot-detection",
	"correlation-id", "cors", "grpc-web", "hmac-auth", "ip-restriction", "jwt", "key-auth", "rate-limiting", "redirect",
	"request-size-limiting", "request-termination", "request-transformer", "response-ratelimiting",
	"response-transformer", "session", "standard-webhooks",
}
