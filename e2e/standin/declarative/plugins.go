package declarative

import "strings"

// Bundled are the plugins that come with Kong 3.9. A configuration may have them. The
// stand-in runs request-termination only.
var Bundled = strings.Fields(`acl acme ai-prompt-decorator ai-prompt-guard ai-prompt-template ai-proxy
	ai-request-transformer ai-response-transformer aws-lambda azure-functions basic-auth bot-detection
	correlation-id cors datadog file-log grpc-gateway grpc-web hmac-auth http-log ip-restriction jwt key-auth
	ldap-auth loggly oauth2 opentelemetry post-function pre-function prometheus proxy-cache rate-limiting redirect
	request-size-limiting request-termination request-transformer response-ratelimiting response-transformer
	session standard-webhooks statsd syslog tcp-log udp-log zipkin`)
