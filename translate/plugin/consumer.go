package plugin

import "slices"

// consumerless are the bundled plugins whose schema forbids a consumer: they decide who the
// consumer is, or run before that is known. Source: Kong 3.9, kong/plugins/*/schema.lua.
var consumerless = []string{
	"acl", "acme", "ai-request-transformer", "basic-auth", "bot-detection", "cors", "hmac-auth",
	"jwt", "key-auth", "ldap-auth", "oauth2", "session", "standard-webhooks",
}

// takesConsumer reports whether Kong takes a plugin of that name for single consumers.
func takesConsumer(name string) bool { return !slices.Contains(consumerless, name) }
