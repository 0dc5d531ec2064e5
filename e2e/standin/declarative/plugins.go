package declarative

import (
	"reflect"
	"strings"
)

// Bundled are the plugins that come with Kong 3.9. A configuration may have them. The
// stand-in runs request-termination, and of others only what [answerOf] returns.
var Bundled = strings.Fields(`acl acme ai-prompt-decorator ai-prompt-guard ai-prompt-template ai-proxy
	ai-request-transformer ai-response-transformer aws-lambda azure-functions basic-auth bot-detection
	correlation-id cors datadog file-log grpc-gateway grpc-web hmac-auth http-log ip-restriction jwt key-auth
	ldap-auth loggly oauth2 opentelemetry post-function pre-function prometheus proxy-cache rate-limiting redirect
	request-size-limiting request-termination request-transformer response-ratelimiting response-transformer
	session standard-webhooks statsd syslog tcp-log udp-log zipkin`)

// everywhere are the networks of all addresses.
var everywhere = []any{"0.0.0.0/0", "::/0"}

// answerOf returns the answer of a plugin that answers all requests and does nothing else: kube-sync
// adds such plugins where Kong refuses another one, or where a route has no backend. It returns nil
// for all other plugins.
func answerOf(plugin Entity) *Answer {
	config, _ := plugin["config"].(map[string]any)
	switch plugin["name"] {
	case "ip-restriction":
		status, hasStatus := config["status"].(float64)
		message, hasMessage := config["message"].(string)
		if reflect.DeepEqual(config["deny"], everywhere) && len(config) == 3 && hasStatus && hasMessage {
			return &Answer{Status: int(status), Message: message, Identified: true}
		}
	case "kube-sync-http":
		shares, _ := config["shares"].([]any)
		if len(shares) != 1 || len(config) > 2 || config["total"] == nil {
			return nil
		}
		share, _ := shares[0].(map[string]any)
		if status, ok := share["status"].(float64); ok && len(share) == 2 {
			return &Answer{Status: int(status), Message: "no backend is available"}
		}
	}
	return nil
}
