package explain

// priorities are the priorities of Kong's bundled plugins and of this project's: those with the
// highest run first. A plugin of none of these is taken to run last.
var priorities = map[string]int{
	"kube-sync-closed": 1000000, "kube-sync-cors": 2001, "kube-sync-delta": 0, "kube-sync-http": 779, "kube-sync-mtls": 1000001,
	"kube-sync-ports": 1000000, "kube-sync-request": 0, "kube-sync-router": 0, "kube-sync-stream": 779, "kube-sync-tenants": 1000000,
	"acl": 950, "acme": 1705, "ai-prompt-decorator": 772, "ai-prompt-guard": 771, "ai-prompt-template": 773, "ai-proxy": 770,
	"ai-request-transformer": 777, "ai-response-transformer": 768, "aws-lambda": 750, "azure-functions": 749, "basic-auth": 1100,
	"bot-detection": 2500, "correlation-id": 100001, "cors": 2000, "datadog": 10, "file-log": 9, "grpc-gateway": 998, "grpc-web": 3,
	"hmac-auth": 1030, "http-log": 12, "ip-restriction": 990, "jwt": 1450, "key-auth": 1250, "ldap-auth": 1200, "loggly": 6,
	"oauth2": 1400, "opentelemetry": 14, "post-function": -1000, "pre-function": 1000000, "prometheus": 13, "proxy-cache": 100,
	"rate-limiting": 910, "redirect": 779, "request-size-limiting": 951, "request-termination": 2, "request-transformer": 801,
	"response-ratelimiting": 900, "response-transformer": 800, "session": 1900, "standard-webhooks": 760, "statsd": 11, "syslog": 4,
	"tcp-log": 7, "udp-log": 8, "zipkin": 100000,
}

// observers are plugins that neither answer requests nor change where they go.
var observers = []string{
	"correlation-id", "datadog", "file-log", "http-log", "loggly", "opentelemetry", "prometheus", "response-transformer", "statsd",
	"syslog", "tcp-log", "udp-log", "zipkin", "kube-sync-ports", "kube-sync-tenants", "kube-sync-delta", "kube-sync-request", "kube-sync-router",
}
