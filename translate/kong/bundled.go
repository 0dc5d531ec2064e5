package kong

import "slices"

// PluginSchema is what the schema of a bundled plugin lets a plugin entity refer to.
type PluginSchema struct {
	// NoConsumer, NoService and NoRoute forbid the respective reference.
	NoConsumer, NoService, NoRoute bool
	// Requests forbids stream protocols.
	Requests bool
}

// Bundled returns the schema of a bundled plugin; false for a plugin that is not bundled.
func Bundled(name string) (PluginSchema, bool) {
	schema, ok := bundled[name]
	return schema, ok
}

// BundledNames returns the names of the bundled plugins, in order.
func BundledNames() []string {
	names := make([]string, 0, len(bundled))
	for name := range bundled {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var (
	anything           = PluginSchema{}
	noConsumer         = PluginSchema{NoConsumer: true}
	requests           = PluginSchema{Requests: true}
	noConsumerRequests = PluginSchema{NoConsumer: true, Requests: true}
	wholeGateway       = PluginSchema{NoConsumer: true, NoService: true, NoRoute: true, Requests: true}
)

// bundled are the plugins of Kong 3.9. A test compares them with the Kong on PATH.
var bundled = map[string]PluginSchema{
	"acl":                     noConsumerRequests,
	"acme":                    wholeGateway,
	"ai-prompt-decorator":     requests,
	"ai-prompt-guard":         requests,
	"ai-prompt-template":      requests,
	"ai-proxy":                requests,
	"ai-request-transformer":  noConsumerRequests,
	"ai-response-transformer": requests,
	"aws-lambda":              requests,
	"azure-functions":         anything,
	"basic-auth":              noConsumerRequests,
	"bot-detection":           noConsumerRequests,
	"correlation-id":          requests,
	"cors":                    noConsumerRequests,
	"datadog":                 anything,
	"file-log":                anything,
	"grpc-gateway":            anything,
	"grpc-web":                anything,
	"hmac-auth":               noConsumerRequests,
	"http-log":                anything,
	"ip-restriction":          anything,
	"jwt":                     noConsumerRequests,
	"key-auth":                noConsumerRequests,
	"ldap-auth":               noConsumerRequests,
	"loggly":                  anything,
	"oauth2":                  noConsumerRequests,
	"opentelemetry":           requests,
	"post-function":           noConsumer,
	"pre-function":            noConsumer,
	"prometheus":              anything,
	"proxy-cache":             anything,
	"rate-limiting":           requests,
	"redirect":                requests,
	"request-size-limiting":   requests,
	"request-termination":     requests,
	"request-transformer":     anything,
	"response-ratelimiting":   requests,
	"response-transformer":    requests,
	"session":                 noConsumer,
	"standard-webhooks":       noConsumerRequests,
	"statsd":                  anything,
	"syslog":                  anything,
	"tcp-log":                 anything,
	"udp-log":                 anything,
	"zipkin":                  anything,
}
