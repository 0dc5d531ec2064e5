package tenancy

// permission says what a KongPlugin may have in a field.
type permission struct {
	plugin, field string
	// values are those that every namespace may have.
	values []string
	// needed permits every value, but not that the field is missing.
	needed bool
	// when limits the permission to configurations with a value in another field.
	when condition
	// isolated limits the permission to isolated gateways.
	isolated bool
	// is says what the field is, for messages: "a file of the gateway".
	is string
	// example is a value that an operator may want to permit.
	example string
}

// condition is met by a configuration with a value in a field. The zero value always is.
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

// permissions are the fields of bundled plugins by which a plugin gets at what is the
// gateway's. Fields that name hosts are in [hosts].
var permissions = []permission{
	{plugin: "file-log", field: "path", is: file, values: []string{"/dev/stdout", "/dev/stderr"}, example: "/var/log/kong/"},
	{plugin: "grpc-gateway", field: "proto", is: file, example: "/etc/protos/"},
	{plugin: "grpc-web", field: "proto", is: file, example: "/etc/protos/"},
	{plugin: "acme", field: "storage_config.vault.jwt_path", is: file, example: "/var/run/secrets/acme/token"},
	// Kong would send the token of the gateway's service account to the vault.
	{plugin: "acme", field: "storage_config.vault.auth_method", is: "a credential of the gateway", values: []string{"token"}, example: "kubernetes"},
	{plugin: "acme", field: "storage_config.shm.shm_name", is: dictionary, values: []string{"kong"}, example: "acme"},
	{plugin: "proxy-cache", field: "memory.dictionary_name", is: dictionary, values: []string{"kong_db_cache"}, example: "proxy_cache"},
	// It gets the lines that the workers log, whoever they are about.
	{plugin: "opentelemetry", field: "logs_endpoint", is: "where the gateway's log is sent", example: "https://otel.example/v1/logs"},
	// Without keys of its own a plugin uses those of the gateway's environment, files or machine.
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

// host says where a plugin names what it connects to.
type host struct {
	plugin, field string
	// url tells that the host is in a URL.
	url bool
	// deflt is the host that Kong takes when the field is missing. It may be empty.
	deflt string
	// under is a field whose value comes before the host, with a dot between. It may be empty.
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
	{plugin: "datadog", field: "host", deflt: "localhost"},
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
	{plugin: "statsd", field: "host", deflt: "localhost"},
	{plugin: "tcp-log", field: "host"},
	{plugin: "udp-log", field: "host"},
	{plugin: "zipkin", field: "http_endpoint", url: true},
}

// label is a field that Kong puts into the name of a host.
type label struct{ plugin, field string }

// labels are those of bundled plugins. A value with any character that is not one of a
// host's name could make it another host.
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

// functions are the bundled plugins that are nothing but code.
var functions = []string{"pre-function", "post-function"}

// luaSuffix is what the names of fields end with that have code.
const luaSuffix = "_by_lua"

// templates are the bundled plugins that evaluate templates in their configuration.
var templates = []string{"request-transformer"}

// harmless are the bundled plugins that connect to no other host, evaluate no template, read
// no file and keep what they share to themselves, given the permissions for isolated gateways.
var harmless = []string{
	"acl", "ai-prompt-decorator", "ai-prompt-guard", "ai-prompt-template", "basic-auth", "bot-detection",
	"correlation-id", "cors", "grpc-web", "hmac-auth", "ip-restriction", "jwt", "key-auth", "rate-limiting", "redirect",
	"request-size-limiting", "request-termination", "request-transformer", "response-ratelimiting",
	"response-transformer", "session", "standard-webhooks",
}
